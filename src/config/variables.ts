// The variables of the environment: what each may hold, and what is said of it where it holds something else.
import pg from 'pg';
import { z } from 'zod';
import type { Level } from '../otel/fields.ts';
import { Secret } from '../secret.ts';

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

/** Ids of Telegram, separated by commas. */
const userIds = z
  .string()
  .transform(text => text.split(',').flatMap(id => id.trim() || []))
  .refine(ids => ids.every(id => /^\d{1,15}$/.test(id)), 'must be numeric Telegram ids separated by commas')
  .transform(ids => ids.map(Number));

const levels: Readonly<Record<string, Level>> = {
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARNING',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  CRITICAL: 'CRITICAL',
};

export const variables = {
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
  UPDATE_DEADLINE_SECONDS: withDefault(seconds(1, 30), '20'),
  INBOX_MAX: withDefault(wholeFrom1(9), '10000'),
  INBOX_CHAT_MAX: withDefault(wholeFrom1(6), '50'),
  ADMIN_IDS: optional(userIds),
  ADMIN_ID: optional(userIds),
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
  /** OpenTelemetry's own; `otlp`: lines go to the collector too. */
  OTEL_LOGS_EXPORTER: optional(z.string()),
  SILENCE_GUARD: withDefault(truth, 'true'),
  JOURNAL: withDefault(truth, 'true'),
  JOURNAL_RETENTION_DAYS: withDefault(wholeFrom1(4), '30'),
  JOURNAL_MAX_MB: withDefault(wholeFrom1(8), '2000'),
  NODE_ENV: withDefault(
    z.enum(['production', 'development', 'test'], 'must be production, development or test'),
    'production',
  ),
};

/** What each variable is, once it is read. */
export type Values = { readonly [Name in keyof typeof variables]: z.output<(typeof variables)[Name]> };

/** What node-postgres cannot read would be thrown later, by a message that may quote it. */
function isReadableByPostgres(url: string): boolean {
  try {
    return new pg.Client({ connectionString: url }).host !== '';
  } catch {
    return false;
  }
}
