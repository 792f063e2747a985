// The only reader of the environment, besides OpenTelemetry's own OTEL_* variables. All problems are
// reported at once, each naming its variable and what to do; values of secrets are never printed.
import querystring from 'node:querystring';
import type { Level } from '../otel/fields.ts';
import type { LogFormat } from '../otel/logger.ts';
import { Secret } from '../secret.ts';
import { service } from '../service.ts';
import { type Environment, Problem, readVariables } from './environment.ts';
import { type Values, variables } from './variables.ts';

export interface WebhookConfig {
  readonly mode: 'webhook';
  /** Public base URL without a trailing slash; `/webhook` and `/callbacks/kie/…` are added to it. */
  readonly baseUrl: string;
  /** Absent only in development: then any sender is believed. */
  readonly secretToken: Secret | undefined;
  /** Accepted too while the secret is being rotated. */
  readonly previousSecretToken: Secret | undefined;
}

export interface PollingConfig {
  readonly mode: 'polling';
}

export interface Config {
  readonly telegram: {
    readonly token: Secret;
    /** The number before the colon of the token: the bot's own id. */
    readonly botId: number;
    readonly apiRoot: string;
  };
  readonly bot: WebhookConfig | PollingConfig;
  readonly port: number;
  /** Loopback in development, all interfaces in production. */
  readonly host: string;
  readonly databaseUrl: Secret;
  /** Where sessions are kept: Postgres itself, for the lock and for LISTEN. The database URL unless that is a pooler. */
  readonly lockDatabaseUrl: Secret;
  readonly instance: {
    /** One ACTIVE instance, or as many as there are. */
    readonly mode: 'single' | 'cluster';
    /** A standby of another release asks the holder to yield. */
    readonly release: string;
    readonly lock: {
      readonly heartbeatMs: number;
      readonly staleMs: number;
      readonly releaseWaitMs: number;
      /** For one statement of any connection: a third of `staleMs`, from 3 to 10 s. */
      readonly statementDeadlineMs: number;
    };
    /** What a PASSIVE instance does with taps: leave them to the ACTIVE one, or refuse them. */
    readonly passiveMode: 'queue' | 'reject';
    readonly shutdownGraceMs: number;
    /** How long the start waits for the database and for Telegram. */
    readonly bootTimeoutMs: number;
  };
  /** What one update has for all that is called in its turn; less than after what another instance may pick it. */
  readonly updateDeadlineMs: number;
  /** Updates without an outcome, above which no more are taken. */
  readonly inboxMax: number;
  /** Updates of one chat without an outcome, above which its taps and messages are refused. */
  readonly inboxChatMax: number;
  readonly adminIds: readonly number[];
  readonly hashSecret: Secret;
  readonly kie: {
    readonly apiKey: Secret;
    readonly apiUrl: string;
    /** Where input files are stored. */
    readonly uploadUrl: string;
    readonly webhookHmacKey: Secret | undefined;
  };
  readonly money: {
    /** Decimal text, so that it stays exact. */
    readonly rates: { readonly usdRub: string; readonly multiplier: string };
    /** Kopecks that a new user gets once. */
    readonly welcomeCredit: number;
  };
  /** Key or id of the only model that is offered. */
  readonly singleModel: string | undefined;
  /** `otlp`: lines go to the collector too, by OTel's own OTEL_LOGS_EXPORTER=otlp. */
  readonly log: { readonly format: LogFormat; readonly level: Level; readonly otlp: boolean };
  readonly silenceGuard: boolean;
  /** Undefined: no journal is written. */
  readonly journal: { readonly retentionDays: number; readonly maxMegabytes: number } | undefined;
  readonly environment: 'production' | 'development' | 'test';
}

/**
 * Parses the environment. Throws one AppError CONFIG_INVALID whose message lists every problem, one per
 * line, as `NAME what is wrong and what to do`.
 */
export function parseConfig(environment: Environment): Config {
  const reading = readVariables(variables, environment);
  reading.derive(['STALE_IDLE_SECONDS', 'LOCK_HEARTBEAT_SECONDS'], outlivesALateRenewal);
  const baseUrl = reading.derive(['BOT_MODE', 'WEBHOOK_BASE_URL', 'RENDER_EXTERNAL_URL'], publicUrl);
  reading.derive(['BOT_MODE', 'WEBHOOK_SECRET_TOKEN', 'NODE_ENV'], believesTelegramOnly);
  const values = reading.complete();
  return {
    telegram: {
      token: new Secret(values.TELEGRAM_BOT_TOKEN),
      botId: Number(values.TELEGRAM_BOT_TOKEN.split(':')[0]),
      apiRoot: values.TELEGRAM_API_ROOT,
    },
    bot: botOf(values, baseUrl),
    port: values.PORT,
    host: values.HOST ?? (values.NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1'),
    databaseUrl: values.DATABASE_URL,
    lockDatabaseUrl: values.LOCK_DATABASE_URL ?? values.DATABASE_URL,
    instance: {
      mode: values.INSTANCE_MODE,
      release: values.RELEASE ?? values.RENDER_GIT_COMMIT ?? service.version,
      lock: {
        heartbeatMs: values.LOCK_HEARTBEAT_SECONDS,
        staleMs: values.STALE_IDLE_SECONDS,
        releaseWaitMs: values.LOCK_RELEASE_WAIT_SECONDS,
        statementDeadlineMs: Math.round(Math.min(10_000, Math.max(3_000, values.STALE_IDLE_SECONDS / 3))),
      },
      passiveMode: values.PASSIVE_MODE,
      shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS,
      bootTimeoutMs: values.BOOT_TIMEOUT_SECONDS,
    },
    updateDeadlineMs: values.UPDATE_DEADLINE_SECONDS,
    inboxMax: values.INBOX_MAX,
    inboxChatMax: values.INBOX_CHAT_MAX,
    adminIds: [...new Set([...(values.ADMIN_IDS ?? []), ...(values.ADMIN_ID ?? [])])],
    hashSecret: values.HASH_SECRET,
    kie: {
      apiKey: values.KIE_API_KEY,
      apiUrl: values.KIE_API_URL,
      uploadUrl: values.KIE_UPLOAD_URL,
      webhookHmacKey: values.KIE_WEBHOOK_HMAC_KEY,
    },
    money: {
      rates: { usdRub: values.USD_RUB_RATE, multiplier: values.PRICE_MULTIPLIER },
      welcomeCredit: values.WELCOME_CREDIT,
    },
    singleModel: values.SINGLE_MODEL_ONLY,
    log: {
      format: values.LOG_FORMAT,
      level: values.LOG_LEVEL ?? 'INFO',
      otlp: values.OTEL_LOGS_EXPORTER === 'otlp',
    },
    silenceGuard: values.SILENCE_GUARD,
    journal: values.JOURNAL
      ? { retentionDays: values.JOURNAL_RETENTION_DAYS, maxMegabytes: values.JOURNAL_MAX_MB }
      : undefined,
    environment: values.NODE_ENV,
  };
}

function outlivesALateRenewal(
  values: Pick<Values, 'STALE_IDLE_SECONDS' | 'LOCK_HEARTBEAT_SECONDS'>,
): Problem | undefined {
  if (values.STALE_IDLE_SECONDS >= 2 * values.LOCK_HEARTBEAT_SECONDS) return undefined;
  return new Problem(
    'STALE_IDLE_SECONDS must be at least twice LOCK_HEARTBEAT_SECONDS: one late renewal would end a healthy instance',
  );
}

/** Where Telegram and KIE.ai call; undefined while polling. */
function publicUrl(
  values: Pick<Values, 'BOT_MODE' | 'WEBHOOK_BASE_URL' | 'RENDER_EXTERNAL_URL'>,
): string | Problem | undefined {
  if (values.BOT_MODE === 'polling') return undefined;
  const name = values.WEBHOOK_BASE_URL === undefined ? 'RENDER_EXTERNAL_URL' : 'WEBHOOK_BASE_URL';
  const url = values[name];
  if (url === undefined)
    return new Problem(
      'WEBHOOK_BASE_URL is required in webhook mode (or RENDER_EXTERNAL_URL); without a public URL set BOT_MODE=polling',
    );
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopback(hostname)) return url;
  return new Problem(`${name} must be https; plain http is possible only for a loopback address`);
}

function believesTelegramOnly(
  values: Pick<Values, 'BOT_MODE' | 'WEBHOOK_SECRET_TOKEN' | 'NODE_ENV'>,
): Problem | undefined {
  const isOpen = values.BOT_MODE === 'webhook' && values.WEBHOOK_SECRET_TOKEN === undefined;
  if (!isOpen || values.NODE_ENV === 'development') return undefined;
  return new Problem(
    'WEBHOOK_SECRET_TOKEN is required in webhook mode, for example from `openssl rand -hex 32`; only NODE_ENV=development may go without',
  );
}

function botOf(values: Values, baseUrl: string | undefined): WebhookConfig | PollingConfig {
  if (baseUrl === undefined) return { mode: 'polling' };
  return {
    mode: 'webhook',
    baseUrl,
    secretToken: values.WEBHOOK_SECRET_TOKEN,
    previousSecretToken: values.WEBHOOK_SECRET_TOKEN_PREVIOUS,
  };
}

/** Loopback by its literal name, so that no DNS answer can turn a public host into one. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Everything that must not appear in any output, even inside somebody else's error text. */
export function secretsOf(config: Config): Secret[] {
  const { telegram, databaseUrl, lockDatabaseUrl, hashSecret, kie, bot } = config;
  return [
    telegram.token,
    databaseUrl,
    ...passwordOf(databaseUrl),
    lockDatabaseUrl,
    ...passwordOf(lockDatabaseUrl),
    hashSecret,
    kie.apiKey,
    ...[
      kie.webhookHmacKey,
      ...(bot.mode === 'webhook' ? [bot.secretToken, bot.previousSecretToken] : []),
    ].filter(secret => secret !== undefined),
  ];
}

/** The password in a database URL, as it stands there and as it is meant. WHATWG URLs cannot hold `user:password@/database`. */
function passwordOf(databaseUrl: Secret): Secret[] {
  const written = /^\w+:\/\/[^:@/]*:([^@]+)@/.exec(databaseUrl.reveal())?.[1];
  // Not decodeURIComponent, which throws for what is no valid escape.
  return written === undefined ? [] : [new Secret(written), new Secret(querystring.unescape(written))];
}
