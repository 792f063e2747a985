// The bots that are measured, each as its own process: this one with telemetry, without, and the bare one.
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxPostgres } from '../sandbox/postgres.ts';
import { secret } from './load.ts';
import { type Child, startChild } from './processes.ts';

export type Variant = 'ours' | 'ours, telemetry off' | 'bare grammY';

export interface Surroundings {
  readonly postgres: SandboxPostgres;
  readonly folder: string;
  readonly otlpPort: number;
}

export interface Telegram {
  readonly port: number;
  /** Taps whose last call has arrived. */
  ended(): Promise<number>;
}

/** As in `npm start`. */
export const startFlags = ['--expose-gc', '--import', './src/otel/register.ts'];
const token = '7000000001:BENCHMARK-not-a-real-token-0000000';
const readyDeadlineMs = 20_000;

/** Where the bot that was started last writes its lines. */
export const outputIn = (folder: string): string => path.join(folder, 'stdout.log');

export async function startTelegram(delayMs: number): Promise<Telegram & Child> {
  const child = await startChild({ script: 'bench/telegram.ts', scriptArguments: [String(delayMs)] });
  return {
    ...child,
    ended: async () => Number(await (await fetch(`http://127.0.0.1:${child.port}/edits`)).text()),
  };
}

export async function startVariant(
  variant: Variant,
  telegram: Telegram,
  { postgres, folder, otlpPort }: Surroundings,
  nodeArguments: readonly string[] = [],
): Promise<Child> {
  if (variant === 'bare grammY')
    return startChild({ script: 'bench/bare-bot.ts', environment: telegramEnvironment(telegram) });
  const before = await webhookPort(telegram);
  return startChild({
    script: 'src/main.ts',
    nodeArguments: [...nodeArguments, ...startFlags],
    output: outputIn(folder),
    environment: {
      ...botEnvironment(telegram, await postgres.createDatabase()),
      PORT: '0',
      WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
      ...(process.env.PROFILE_FILE ? { PROFILE_FILE: process.env.PROFILE_FILE } : {}),
      ...(variant === 'ours'
        ? { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}` }
        : { OTEL_SDK_DISABLED: 'true', LOG_LEVEL: 'CRITICAL' }),
    },
    ready: async () => {
      const endsAt = Date.now() + readyDeadlineMs;
      for (;;) {
        const port = await webhookPort(telegram);
        if (port !== before) return port;
        if (Date.now() > endsAt) throw new Error('The bot did not set its webhook');
        await sleep(50);
      }
    },
  });
}

function telegramEnvironment(telegram: Telegram): Record<string, string> {
  return { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: `http://127.0.0.1:${telegram.port}` };
}

/** All that this bot needs but its own address. */
export function botEnvironment(telegram: Telegram, databaseUrl: string): Record<string, string> {
  return {
    ...telegramEnvironment(telegram),
    WEBHOOK_SECRET_TOKEN: secret,
    DATABASE_URL: databaseUrl,
    HASH_SECRET: 'benchmark-hash-secret',
    KIE_API_KEY: 'benchmark',
    KIE_API_URL: 'http://127.0.0.1:9',
    USD_RUB_RATE: '100',
    // What the event journal costs: run with it and without.
    ...(process.argv.includes('--no-journal') ? { JOURNAL: 'false' } : {}),
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
  };
}

async function webhookPort(telegram: Telegram): Promise<number> {
  const url = await (await fetch(`http://127.0.0.1:${telegram.port}/webhook`)).text();
  return url === '' ? 0 : Number(new URL(url).port);
}
