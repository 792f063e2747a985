// Owns everything the demo, the smoke test and a replay play on: an embedded Postgres, the stand-ins for Telegram and
// KIE.ai, and the bot in this process, wired as in production (webhook, HTTP, real database) with constant settings.
// Promises that each part says when it starts and when it is there, and that stop() leaves nothing behind.
// Of the environment only OTEL_* has an effect, read by the SDK and by the logger.
import { randomBytes } from 'node:crypto';
import { type App, type AppOverrides, buildApp } from '../../src/app/app.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import type { createLifecycle } from '../../src/lifecycle.ts';
import { type KieSandbox, startKieSandbox } from '../kie/index.ts';
import { startPostgres } from '../postgres.ts';
import { standInEnvironment } from '../stand-in-environment.ts';
import { startTelegramSandbox, type TelegramSandbox } from '../telegram/index.ts';
import type { EventLog } from './event-log.ts';
import { refuseOutside } from './refusal.ts';

export interface Stage {
  readonly telegram: TelegramSandbox;
  readonly kie: KieSandbox;
  readonly app: App;
  /** What the bot runs with: nothing in it is of a real one. */
  readonly config: Config;
  readonly databaseUrl: string;
}

export interface StageOptions {
  readonly eventLog: EventLog;
  /** Called before a part starts; what it returns is called when the part is there, with where it can be reached. */
  readonly announce: (part: string) => (where: string) => void;
  /** Registers how to stop a part, right after it was started. */
  readonly onStop: ReturnType<typeof createLifecycle>['onStop'];
  /** Variables of the bot, over those of the stage. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly overrides?: Omit<AppOverrides, 'logDestination'>;
  /** A generation takes three of these; long enough to see the bot say that it works on it, if not given. */
  readonly kieStepMs?: number;
  /** What is to be in the empty database before the bot starts. */
  readonly prepare?: (databaseUrl: string) => Promise<void>;
}

const defaultKieStepMs = 150;

/** Rejects when a part does not start; what was started until then is registered with `onStop`. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const { eventLog, announce, onStop } = options;
  let announced = announce('Postgres 18, embedded, in a temporary folder');
  const postgres = await startPostgres();
  onStop('Postgres', () => postgres.stop());
  const databaseUrl = await postgres.createDatabase();
  announced('on a Unix socket');

  announced = announce('Telegram stand-in, a local Bot API server');
  const telegram = await startTelegramSandbox();
  onStop('Telegram stand-in', () => telegram.stop());
  announced(telegram.apiRoot);

  announced = announce('KIE.ai stand-in, which paints the pictures');
  const kie = await startKieSandbox({
    stepMs: options.kieStepMs ?? defaultKieStepMs,
    webhookHmacKey: randomBytes(16).toString('hex'),
  });
  onStop('KIE.ai stand-in', () => kie.stop());
  announced(kie.apiUrl);

  announced = announce('The bot: migrations, HTTP server, workers, setWebhook');
  await options.prepare?.(databaseUrl);
  const config = configOf(databaseUrl, telegram, kie, options.environment);
  refuseOutside(config);
  const app = buildApp(config, { ...options.overrides, logDestination: eventLog });
  await app.start();
  onStop('bot', () => app.stop());
  announced(app.url());

  return { telegram, kie, app, config, databaseUrl };
}

function configOf(
  databaseUrl: string,
  telegram: TelegramSandbox,
  kie: KieSandbox,
  environment: StageOptions['environment'],
): Config {
  const { OTEL_LOGS_EXPORTER } = process.env;
  return parseConfig({
    ...standInEnvironment({ telegram, kie, databaseUrl }),
    BOT_MODE: 'webhook',
    // Port 0: whichever is free, so that two stages can stand beside each other.
    PORT: '0',
    WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
    WELCOME_CREDIT: '100000',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'INFO',
    NODE_ENV: 'development',
    OTEL_LOGS_EXPORTER,
    ...environment,
  });
}
