// The whole bot against real parts: buildApp over HTTP, a real Postgres, grammY's client, and the stand-ins
// of Telegram and KIE.ai. `await using bot = await startBot()` stops everything and checks that nothing was
// left behind or called that the stand-ins do not know.
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'vitest';
import { type KieSandbox, type KieSandboxOptions, startKieSandbox } from '../../sandbox/kie/index.ts';
import {
  type SandboxUser,
  startTelegramSandbox,
  type TelegramSandbox,
  type TelegramSandboxOptions,
  type UserOptions,
} from '../../sandbox/telegram/index.ts';
import { type App, type AppOverrides, buildApp } from '../../src/app/app.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import type { PipelineTimings } from '../../src/pipeline/timings.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { patienceMs } from './patience.ts';
import { spanExporter } from './record-spans.ts';

/** One line of stdout. */
export type Line = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly cid: string;
  readonly msg: string;
};

export interface BotUnderTest extends AsyncDisposable {
  /** The running one; `restart` makes another. */
  readonly app: App;
  readonly config: Config;
  readonly telegram: TelegramSandbox;
  readonly kie: KieSandbox;
  readonly database: TestDatabase;
  /** A user with an English profile. */
  user(options?: UserOptions): SandboxUser;
  readonly lines: readonly Line[];
  /** Lines as they were written. */
  readonly output: readonly string[];
  /** All lines of one cid, in their order. */
  linesOf(cid: string): Line[];
  /** The names of the events of one cid, in their order. */
  chainOf(cid: string): string[];
  /** Waits until an update or task of this cid has ended with one of these events. */
  waitForEvent(cid: string, ...names: string[]): Promise<Line>;
  /** Waits for a line that fits, whichever cid it has. */
  waitForLine(fits: (line: Line) => boolean): Promise<Line>;
  /** The cid of the newest update of that Telegram id. */
  cidOf(updateId: number): Promise<string>;
  /** Ended spans of the trace with this cid. */
  spansOf(cid: string): ReadableSpan[];
  webhookUrl(): string;
  /** Stops the bot and starts another one on the same database; Telegram and KIE.ai stay. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface BotOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly overrides?: AppOverrides;
  readonly telegram?: TelegramSandboxOptions;
  readonly kie?: KieSandboxOptions;
  /** Flat prices in credits by the id of the model, as administrators set them before the start. */
  readonly prices?: Readonly<Record<string, number>>;
}

/** The production timings, some hundred times faster. */
export const quickTimings: PipelineTimings = {
  startDelayMs: 20_000,
  submissionLimit: { submissions: 18, windowMs: 100 },
  submitAttempts: 3,
  submitRetryMs: 20,
  orderSendLimitMs: 20_000,
  submitWindowMs: 20_000,
  unknownOutcomeLimitMs: 1_500,
  notFoundLimitMs: 500,
  waitLimitMs: 20_000,
  poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 100 }],
  lookAttempts: 3,
  lookRetryMs: 20,
  lookLimitMs: 10 * 60_000,
  lateLimitMs: 5_000,
  lateLookMs: 1_000,
  fullStageMs: 20,
  deliveryAttempts: 3,
  deliveryRetryMs: 20,
  deliveryClaimMs: 2_000,
};

export const webhookSecret = 'canary-webhook-secret-4242';
const hmacKey = 'canary-hmac-key-4242';

/** An instance of the same bot, on the same database. */
export function besides(first: BotUnderTest, environment: BotOptions['environment'] = {}): BotOptions {
  return {
    environment: {
      DATABASE_URL: first.config.databaseUrl.reveal(),
      TELEGRAM_BOT_TOKEN: first.telegram.token,
      TELEGRAM_API_ROOT: first.telegram.apiRoot,
      ...environment,
    },
  };
}

export async function startBot(options: BotOptions = {}): Promise<BotUnderTest> {
  const database = await createTestDatabase();
  const telegram = await startTelegramSandbox({ retryDelaysMs: { base: 20, cap: 200 }, ...options.telegram });
  const kie = await startKieSandbox({
    stepMs: 20,
    callbackRetryDelayMs: 20,
    webhookHmacKey: hmacKey,
    ...options.kie,
  });
  const output: string[] = [];
  const lines: Line[] = [];
  const config = parseConfig({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    PORT: '0',
    WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
    WEBHOOK_SECRET_TOKEN: webhookSecret,
    DATABASE_URL: database.url,
    HASH_SECRET: 'canary-hash-secret-0123456789',
    KIE_API_KEY: kie.apiKey,
    KIE_API_URL: kie.apiUrl,
    KIE_UPLOAD_URL: kie.uploadUrl,
    USD_RUB_RATE: '100',
    WELCOME_CREDIT: '100000',
    ...(kie.webhookHmacKey ? { KIE_WEBHOOK_HMAC_KEY: kie.webhookHmacKey } : {}),
    NODE_ENV: 'test',
    ...options.environment,
  });
  const build = (): App =>
    buildApp(config, {
      timings: quickTimings,
      logDestination: {
        write(line) {
          output.push(line);
          if (config.log.format === 'json') lines.push(JSON.parse(line));
        },
      },
      ...options.overrides,
    });
  let app = build();
  const bot: BotUnderTest = {
    get app() {
      return app;
    },
    config,
    telegram,
    kie,
    database,
    lines,
    output,
    user: userOptions => telegram.user({ languageCode: 'en', ...userOptions }),
    linesOf: cid => lines.filter(line => line.cid === cid),
    chainOf: cid => lines.filter(line => line.cid === cid).map(line => line.name),
    waitForEvent: (cid, ...names) =>
      waitFor(
        `${names.join(' or ')} of ${cid}`,
        () => lines.find(line => line.cid === cid && names.includes(line.name)),
        () => bot.chainOf(cid).join(', '),
      ),
    waitForLine: fits =>
      waitFor(
        'a line',
        () => lines.find(fits),
        () => lines.map(line => line.name).join(', '),
      ),
    async cidOf(updateId) {
      const line = await waitFor(`update ${updateId}`, () =>
        lines.findLast(candidate => candidate.name === 'UPDATE_RECEIVED' && candidate.update_id === updateId),
      );
      return line.cid;
    },
    spansOf: cid =>
      spanExporter.getFinishedSpans().filter(span => span.spanContext().traceId.startsWith(cid)),
    webhookUrl: () => `${app.url()}/webhook`,
    async restart() {
      await app.stop();
      app = build();
      await app.start();
    },
    async stop() {
      await app.stop();
      await telegram.stop();
      await kie.stop();
      await database.drop();
    },
    async [Symbol.asyncDispose]() {
      await bot.stop();
      telegram.assertHealthy();
    },
  };
  try {
    for (const [modelId, credits] of Object.entries(options.prices ?? {}))
      await database.query(
        `insert into model_settings (model_id, credits, updated_by) values ($1, $2, 'test')`,
        [modelId, credits],
      );
    await app.start();
  } catch (error) {
    await bot.stop();
    throw error;
  }
  return bot;
}

/** What has waited long need not be looked for often: looks cost the bot under test its processor. */
const pauseMs = { least: 5, most: 50, shareOfWait: 0.05 };

/** Polls until `look` gives something; fails with what there was instead. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  otherwise: () => string = () => '',
  limitMs: number = patienceMs,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > limitMs) expect.fail(`Waited ${limitMs} ms for ${what} in vain. ${otherwise()}`);
    const pause = Math.min(Math.max(waitedMs * pauseMs.shareOfWait, pauseMs.least), pauseMs.most);
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}
