// Where this process is reached. Configured, except for a port 0, which stands for one that is free: which one that is
// becomes known when the server listens, and everybody who asks before runs only after.
import type { Config } from '../config/config.ts';
import { webhookAddress } from '../telegram/registration.ts';

export interface OwnAddress {
  /** The server listens on this port from now on. */
  listensOn(port: number): void;
  /** The port of the HTTP server; the configured one until it listens. */
  port(): number;
  /** Of the HTTP server, on this machine. */
  url(): string;
  /** Where Telegram and the supplier reach us; undefined while polling. */
  publicUrl(): string | undefined;
  /** Where Telegram sends updates; undefined while polling. */
  webhook(): string | undefined;
}

export function createOwnAddress(config: Pick<Config, 'host' | 'port' | 'bot'>): OwnAddress {
  const { bot, host } = config;
  let listeningOn: number | undefined;

  const publicUrl = (): string | undefined =>
    bot.mode === 'webhook' ? withPort(bot.baseUrl, listeningOn) : undefined;
  const port = (): number => listeningOn ?? config.port;

  return {
    listensOn(known) {
      listeningOn = known;
    },
    port,
    url: () => `http://${host.includes(':') ? `[${host}]` : host}:${port()}`,
    publicUrl,
    webhook() {
      const url = publicUrl();
      return url === undefined ? undefined : webhookAddress(url);
    },
  };
}

function withPort(baseUrl: string, port: number | undefined): string {
  const url = new URL(baseUrl);
  if (url.port === '0' && port !== undefined) url.port = String(port);
  return url.href.replace(/\/$/, '');
}
