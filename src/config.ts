// The only reader of the environment, besides OpenTelemetry's own OTEL_* variables. All problems are
// reported at once, each naming its variable and what to do; values of secrets are never printed.
import querystring from 'node:querystring';
import pg from 'pg';
import { z } from 'zod';
import { AppError } from './errors.ts';
import type { Level } from './otel/fields.ts';
import type { LogFormat } from './otel/logger.ts';
import { Secret } from './secret.ts';
import { service } from './service.ts';

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

/** An empty value counts as unset, as `FOO=` in an .env file means. */
const unsetWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unsetWhenEmpty, schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: z.input<T>) =>
  z.preprocess(unsetWhenEmpty, schema.prefault(value));
const required = <T extends z.ZodType>(schema: T) => z.preprocess(unsetWhenEmpty, schema);

const secret = (hint: string) =>
  z.string({ error: `is required: ${hint}` }).transform(value => new Secret(value));
const webhookSecret = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{1,256}$/,
    'may hold only A-Z, a-z, 0-9, _ and -, at most 256 characters (a rule of setWebhook)',
  )
  .transform(value => new Secret(value));
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform(url => url.replace(/\/+$/, ''));
const postgresUrl = z
  .string({ error: 'is required: postgres://user:password@host:port/database' })
  .regex(/^postgres(ql)?:\/\//, { error: 'must start with postgres:// or postgresql://', abort: true })
  .refine(
    isReadableByPostgres,
    'must be postgres://user:password@host:port/database; special characters of the password are written as %XX',
  )
  .transform(value => new Secret(value));
const truth = z
  .enum(['true', 'false', '1', '0'], 'must be true or false')
  .transform(value => value === 'true' || value === '1');

/** A number of seconds, as milliseconds. */
const seconds = (smallest: number, largest: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of seconds')
    .transform(value => Math.round(Number(value) * 1_000))
    .pipe(
      z
        .number()
        .min(smallest * 1_000, `must be at least ${smallest} s`)
        .max(largest * 1_000, `must be at most ${largest} s`),
    );

/** A whole number from 1, with at most so many digits. */
const wholeFrom1 = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[1-9]\\d{0,${digits - 1}}$`), 'must be a whole number from 1')
    .transform(Number);

/** A positive number, kept as the text it was written as. */
const decimal = (hint: string) =>
  z
    .string({ error: hint })
    .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: 'must be a decimal number such as 92.5', abort: true })
    .refine(text => Number(text) > 0, 'must be above 0');

const levels: Readonly<Record<string, Level>> = {
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARNING',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  CRITICAL: 'CRITICAL',
};

const environmentSchema = z.object({
  TELEGRAM_BOT_TOKEN: required(
    z
      .string({ error: 'is required: the token that @BotFather gave you' })
      .regex(/^\d+:[A-Za-z0-9_-]+$/, 'does not look like a token of @BotFather (digits, a colon, letters)'),
  ),
  TELEGRAM_API_ROOT: withDefault(httpUrl, 'https://api.telegram.org'),
  BOT_MODE: withDefault(z.enum(['webhook', 'polling'], 'must be webhook or polling'), 'webhook'),
  PORT: withDefault(
    z
      .string()
      .regex(/^\d+$/, 'must be a port number')
      .transform(Number)
      .pipe(z.number().max(65_535, 'must be a port number')),
    '8080',
  ),
  HOST: optional(z.string()),
  WEBHOOK_BASE_URL: optional(httpUrl),
  RENDER_EXTERNAL_URL: optional(httpUrl),
  WEBHOOK_SECRET_TOKEN: optional(webhookSecret),
  WEBHOOK_SECRET_TOKEN_PREVIOUS: optional(webhookSecret),
  DATABASE_URL: required(postgresUrl),
  LOCK_DATABASE_URL: optional(postgresUrl),
  INSTANCE_MODE: withDefault(z.enum(['single', 'cluster'], 'must be single or cluster'), 'single'),
  RELEASE: optional(z.string()),
  RENDER_GIT_COMMIT: optional(z.string()),
  LOCK_HEARTBEAT_SECONDS: withDefault(seconds(0.1, 60), '5'),
  STALE_IDLE_SECONDS: withDefault(seconds(0.5, 600), '15'),
  LOCK_RELEASE_WAIT_SECONDS: withDefault(seconds(0.1, 60), '3'),
  SHUTDOWN_GRACE_SECONDS: withDefault(seconds(1, 600), '25'),
  BOOT_TIMEOUT_SECONDS: withDefault(seconds(0, 3_600), '60'),
  PASSIVE_MODE: withDefault(z.enum(['queue', 'reject'], 'must be queue or reject'), 'queue'),
  UPDATE_DEADLINE_SECONDS: withDefault(seconds(1, 45), '20'),
  INBOX_MAX: withDefault(wholeFrom1(9), '10000'),
  INBOX_CHAT_MAX: withDefault(wholeFrom1(6), '50'),
  ADMIN_IDS: optional(z.string()),
  ADMIN_ID: optional(z.string()),
  HASH_SECRET: required(
    z
      .string({
        error:
          'is required: a random text that keys the pseudonyms in logs, for example from `openssl rand -hex 32`',
      })
      .min(16, 'must have at least 16 characters')
      .transform(value => new Secret(value)),
  ),
  KIE_API_KEY: required(secret('the API key of kie.ai')),
  KIE_API_URL: withDefault(httpUrl, 'https://api.kie.ai'),
  KIE_UPLOAD_URL: withDefault(httpUrl, 'https://kieai.redpandaai.co'),
  KIE_WEBHOOK_HMAC_KEY: optional(z.string().transform(value => new Secret(value))),
  USD_RUB_RATE: required(decimal('is required: roubles for a dollar, such as 92.5')),
  PRICE_MULTIPLIER: withDefault(decimal('must be a decimal number such as 2'), '2'),
  WELCOME_CREDIT: withDefault(
    z
      .string()
      .regex(/^\d{1,9}$/, 'must be a whole number of kopecks')
      .transform(Number),
    '0',
  ),
  SINGLE_MODEL_ONLY: optional(z.string()),
  LOG_FORMAT: withDefault(z.enum(['json', 'kv'], 'must be json or kv'), 'json'),
  LOG_LEVEL: withDefault(
    z
      .string()
      .transform(value => levels[value.toUpperCase()])
      .refine(level => level !== undefined, 'must be DEBUG, INFO, WARNING, ERROR or CRITICAL'),
    'INFO',
  ),
  SILENCE_GUARD: withDefault(truth, 'true'),
  JOURNAL: withDefault(truth, 'true'),
  JOURNAL_RETENTION_DAYS: withDefault(wholeFrom1(4), '30'),
  JOURNAL_MAX_MB: withDefault(wholeFrom1(8), '2000'),
  NODE_ENV: withDefault(
    z.enum(['production', 'development', 'test'], 'must be production, development or test'),
    'production',
  ),
});

/** What node-postgres cannot read would be thrown later, by a message that may quote it. */
function isReadableByPostgres(url: string): boolean {
  try {
    return new pg.Client({ connectionString: url }).host !== '';
  } catch {
    return false;
  }
}

type Environment = z.infer<typeof environmentSchema>;

/**
 * Parses the environment. Throws one AppError CONFIG_INVALID whose message lists every problem, one per
 * line, as `NAME what is wrong and what to do`.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')} ${issue.message}`);
  }
  if (parsed.success && parsed.data.STALE_IDLE_SECONDS < 2 * parsed.data.LOCK_HEARTBEAT_SECONDS)
    problems.push(
      'STALE_IDLE_SECONDS must be at least twice LOCK_HEARTBEAT_SECONDS: one late renewal would end a healthy instance',
    );
  const adminIds = parseAdminIds(environment, problems);
  const bot = parseBotMode(parsed.success ? parsed.data : lenient(environment), problems);
  if (!parsed.success || problems.length > 0) {
    throw new AppError({
      code: 'CONFIG_INVALID',
      message: `The configuration is not usable:\n${problems.map(line => `  ${line}`).join('\n')}`,
    });
  }
  const values = parsed.data;
  return {
    telegram: {
      token: new Secret(values.TELEGRAM_BOT_TOKEN),
      botId: Number(values.TELEGRAM_BOT_TOKEN.split(':')[0]),
      apiRoot: values.TELEGRAM_API_ROOT,
    },
    bot,
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
    adminIds,
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
      otlp: environment.OTEL_LOGS_EXPORTER === 'otlp',
    },
    silenceGuard: values.SILENCE_GUARD,
    journal: values.JOURNAL
      ? { retentionDays: values.JOURNAL_RETENTION_DAYS, maxMegabytes: values.JOURNAL_MAX_MB }
      : undefined,
    environment: values.NODE_ENV,
  };
}

/** The variables that the rules between variables look at, each undefined when it alone is unusable. */
type ModeVariables = Pick<
  Environment,
  | 'BOT_MODE'
  | 'WEBHOOK_BASE_URL'
  | 'RENDER_EXTERNAL_URL'
  | 'WEBHOOK_SECRET_TOKEN'
  | 'WEBHOOK_SECRET_TOKEN_PREVIOUS'
  | 'NODE_ENV'
>;

function lenient(environment: Readonly<Record<string, string | undefined>>): ModeVariables {
  const shape = environmentSchema.shape;
  const value = <T extends z.ZodType>(schema: T, name: string): z.output<T> | undefined => {
    const result = schema.safeParse(environment[name]);
    return result.success ? result.data : undefined;
  };
  const given = (name: string): string | undefined => environment[name] || undefined;
  return {
    BOT_MODE: value(shape.BOT_MODE, 'BOT_MODE') ?? 'webhook',
    WEBHOOK_BASE_URL: value(shape.WEBHOOK_BASE_URL, 'WEBHOOK_BASE_URL') ?? given('WEBHOOK_BASE_URL'),
    RENDER_EXTERNAL_URL:
      value(shape.RENDER_EXTERNAL_URL, 'RENDER_EXTERNAL_URL') ?? given('RENDER_EXTERNAL_URL'),
    // An unusable secret was reported already; here it only counts as given.
    WEBHOOK_SECRET_TOKEN: environment.WEBHOOK_SECRET_TOKEN
      ? new Secret(environment.WEBHOOK_SECRET_TOKEN)
      : undefined,
    WEBHOOK_SECRET_TOKEN_PREVIOUS: undefined,
    NODE_ENV: value(shape.NODE_ENV, 'NODE_ENV') ?? 'production',
  };
}

function parseBotMode(values: ModeVariables, problems: string[]): WebhookConfig | PollingConfig {
  if (values.BOT_MODE === 'polling') return { mode: 'polling' };
  const name = values.WEBHOOK_BASE_URL === undefined ? 'RENDER_EXTERNAL_URL' : 'WEBHOOK_BASE_URL';
  const baseUrl = values[name];
  if (baseUrl === undefined) {
    problems.push(
      'WEBHOOK_BASE_URL is required in webhook mode (or RENDER_EXTERNAL_URL); without a public URL set BOT_MODE=polling',
    );
  } else if (URL.canParse(baseUrl) && !isUsableWebhookUrl(new URL(baseUrl))) {
    problems.push(`${name} must be https; plain http is possible only for a loopback address`);
  }
  if (values.WEBHOOK_SECRET_TOKEN === undefined && values.NODE_ENV !== 'development') {
    problems.push(
      'WEBHOOK_SECRET_TOKEN is required in webhook mode, for example from `openssl rand -hex 32`; only NODE_ENV=development may go without',
    );
  }
  return {
    mode: 'webhook',
    baseUrl: baseUrl ?? '',
    secretToken: values.WEBHOOK_SECRET_TOKEN,
    previousSecretToken: values.WEBHOOK_SECRET_TOKEN_PREVIOUS,
  };
}

function isUsableWebhookUrl(url: URL): boolean {
  return url.protocol === 'https:' || isLoopback(url.hostname);
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

function parseAdminIds(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): number[] {
  const ids: number[] = [];
  for (const name of ['ADMIN_IDS', 'ADMIN_ID'] as const) {
    for (const part of (environment[name] ?? '').split(',')) {
      const text = part.trim();
      if (text === '') continue;
      if (/^\d{1,15}$/.test(text)) ids.push(Number(text));
      else problems.push(`${name} must be numeric Telegram ids separated by commas`);
    }
  }
  return [...new Set(ids)];
}
