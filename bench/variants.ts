// The bots that are measured, each as its own process: this one with telemetry, without, and the bare one.
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxPostgres } from '../src/sandbox/postgres.ts';
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
const startFlags = ['--expose-gc', '--import', './src/otel/register.ts'];
const token = '7000000001:BENCHMARK-not-a-real-token-0000000';
const readyDeadlineMs = 20_000;

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
  const shared = { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: `http://127.0.0.1:${telegram.port}` };
  if (variant === 'bare grammY') return startChild({ script: 'bench/bare-bot.ts', environment: shared });
  const before = await webhookPort(telegram);
  return startChild({
    script: 'src/main.ts',
    nodeArguments: [...nodeArguments, ...startFlags],
    output: path.join(folder, 'stdout.log'),
    environment: {
      ...shared,
      PORT: '0',
      WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
      WEBHOOK_SECRET_TOKEN: secret,
      DATABASE_URL: await postgres.createDatabase(),
      HASH_SECRET: 'benchmark-hash-secret',
      KIE_API_KEY: 'benchmark',
      KIE_API_URL: 'http://127.0.0.1:9',
      NODE_ENV: 'production',
      ...(process.env.PROFILE_FILE ? { PROFILE_FILE: process.env.PROFILE_FILE } : {}),
      HOST: '127.0.0.1',
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

async function webhookPort(telegram: Telegram): Promise<number> {
  const url = await (await fetch(`http://127.0.0.1:${telegram.port}/webhook`)).text();
  return url === '' ? 0 : Number(new URL(url).port);
}
