// The environment: all problems at once and by name, defaults, the rules between variables, and that
// .env.example tells of every variable.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { isLoopback, parseConfig } from '../../src/config/config.ts';
import { AppError } from '../../src/errors.ts';
import type { Secret } from '../../src/secret.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const secrets = {
  TELEGRAM_BOT_TOKEN: '424242:AAcanary-token_0123456789',
  WEBHOOK_SECRET_TOKEN: 'canary-webhook-secret',
  WEBHOOK_SECRET_TOKEN_PREVIOUS: 'canary-previous-secret',
  DATABASE_URL: 'postgres://canary:canary-password@127.0.0.1:5432/trt',
  HASH_SECRET: 'canary-hash-secret-0123',
  KIE_API_KEY: 'canary-kie-key',
  KIE_WEBHOOK_HMAC_KEY: 'canary-hmac-key',
} as const;

const usable: Environment = {
  TELEGRAM_BOT_TOKEN: secrets.TELEGRAM_BOT_TOKEN,
  WEBHOOK_BASE_URL: 'https://bot.example',
  WEBHOOK_SECRET_TOKEN: secrets.WEBHOOK_SECRET_TOKEN,
  DATABASE_URL: secrets.DATABASE_URL,
  HASH_SECRET: secrets.HASH_SECRET,
  KIE_API_KEY: secrets.KIE_API_KEY,
  USD_RUB_RATE: '92.5',
};

/** The problems, one per line, without the heading. */
function problemsOf(environment: Environment): string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFIG_INVALID') throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.trim());
  }
  return [];
}

/** The names of the variables that have a problem. */
const namesOf = (problems: readonly string[]): (string | undefined)[] =>
  problems.map(problem => problem.split(' ')[0]);

function webhookOf(environment: Environment) {
  const { bot } = parseConfig(environment);
  return bot.mode === 'webhook' ? bot : expect.fail('the mode is not webhook');
}

const required = [
  'TELEGRAM_BOT_TOKEN',
  'DATABASE_URL',
  'HASH_SECRET',
  'KIE_API_KEY',
  'USD_RUB_RATE',
  'WEBHOOK_BASE_URL',
  'WEBHOOK_SECRET_TOKEN',
] as const;

test('with nothing set, everything that is required is named at once', () => {
  const problems = problemsOf({});
  expect(new Set(namesOf(problems))).toEqual(new Set(required));
  expect(problems).toHaveLength(required.length);
  for (const problem of problems) expect(problem).toContain(' is required');
});

test('an empty value counts as unset', () => {
  const empty = Object.fromEntries(Object.keys(usable).map(name => [name, '']));
  expect(problemsOf(empty).toSorted()).toEqual(problemsOf({}).toSorted());
  const names = [
    'TELEGRAM_API_ROOT BOT_MODE PORT HOST RENDER_EXTERNAL_URL WEBHOOK_SECRET_TOKEN_PREVIOUS ADMIN_IDS ADMIN_ID',
    'KIE_API_URL KIE_WEBHOOK_HMAC_KEY LOG_FORMAT LOG_LEVEL SILENCE_GUARD NODE_ENV OTEL_LOGS_EXPORTER',
    'LOCK_DATABASE_URL INBOX_MAX INBOX_CHAT_MAX INSTANCE_MODE RELEASE RENDER_GIT_COMMIT LOCK_HEARTBEAT_SECONDS',
    'STALE_IDLE_SECONDS LOCK_RELEASE_WAIT_SECONDS PASSIVE_MODE SHUTDOWN_GRACE_SECONDS',
    'UPDATE_DEADLINE_SECONDS BOOT_TIMEOUT_SECONDS',
    'JOURNAL JOURNAL_RETENTION_DAYS JOURNAL_MAX_MB',
    'KIE_UPLOAD_URL PRICE_MULTIPLIER WELCOME_CREDIT SINGLE_MODEL_ONLY',
  ].flatMap(line => line.split(' '));
  const withEmpty = { ...usable, ...Object.fromEntries(names.map(name => [name, ''])) };
  expect(parseConfig(withEmpty)).toEqual(parseConfig(usable));
});

test('every unusable value is named at once, and what it must be', () => {
  const unusable = {
    TELEGRAM_BOT_TOKEN: 'nonsense',
    TELEGRAM_API_ROOT: 'ftp://api.example',
    BOT_MODE: 'magic',
    PORT: '70000',
    WEBHOOK_BASE_URL: 'nonsense',
    RENDER_EXTERNAL_URL: 'nonsense',
    WEBHOOK_SECRET_TOKEN: 'has spaces',
    WEBHOOK_SECRET_TOKEN_PREVIOUS: 'ы',
    DATABASE_URL: 'mysql://host',
    LOCK_DATABASE_URL: 'mysql://host',
    INBOX_MAX: '0',
    INBOX_CHAT_MAX: '0',
    INSTANCE_MODE: 'many',
    LOCK_HEARTBEAT_SECONDS: '-1',
    STALE_IDLE_SECONDS: 'soon',
    LOCK_RELEASE_WAIT_SECONDS: '1000',
    PASSIVE_MODE: 'silent',
    SHUTDOWN_GRACE_SECONDS: '0',
    BOOT_TIMEOUT_SECONDS: 'never',
    UPDATE_DEADLINE_SECONDS: 'never',
    ADMIN_IDS: '1,two',
    ADMIN_ID: 'three',
    HASH_SECRET: 'short',
    KIE_API_URL: 'nonsense',
    KIE_UPLOAD_URL: 'ftp://uploads.example',
    USD_RUB_RATE: '92,5',
    PRICE_MULTIPLIER: '0',
    WELCOME_CREDIT: '-1',
    LOG_FORMAT: 'xml',
    LOG_LEVEL: 'LOUD',
    SILENCE_GUARD: 'maybe',
    JOURNAL: 'often',
    JOURNAL_RETENTION_DAYS: '0',
    JOURNAL_MAX_MB: '-1',
    NODE_ENV: 'staging',
  };
  const problems = problemsOf({ ...usable, ...unusable });
  expect(namesOf(problems).toSorted()).toEqual(Object.keys(unusable).toSorted());
  for (const problem of problems) expect(problem).toMatch(/ must | may hold only | does not look like /);
});

test('the rules between variables are checked even when another variable is unusable', () => {
  const { WEBHOOK_BASE_URL: _, ...withoutUrl } = usable;
  expect(
    namesOf(problemsOf({ ...withoutUrl, PORT: 'x', WEBHOOK_SECRET_TOKEN: undefined })).toSorted(),
  ).toEqual(['PORT', 'WEBHOOK_BASE_URL', 'WEBHOOK_SECRET_TOKEN']);
});

test('an unusable public URL is reported under the name it was given by', () => {
  const { WEBHOOK_BASE_URL: _, ...withoutUrl } = usable;
  expect(namesOf(problemsOf({ ...withoutUrl, RENDER_EXTERNAL_URL: 'http://bot.example' }))).toEqual([
    'RENDER_EXTERNAL_URL',
  ]);
});

test('a lease that one late renewal would end is refused', () => {
  const timings = { LOCK_HEARTBEAT_SECONDS: '5', STALE_IDLE_SECONDS: '9' };
  expect(namesOf(problemsOf({ ...usable, ...timings }))).toEqual(['STALE_IDLE_SECONDS']);
  const { lock } = parseConfig({ ...usable, ...timings, STALE_IDLE_SECONDS: '10.5' }).instance;
  expect(lock).toMatchObject({ heartbeatMs: 5_000, staleMs: 10_500, releaseWaitMs: 3_000 });
});

test('a statement has a third of the time after which an instance counts as gone, within reason', () => {
  const deadlineOf = (staleSeconds: string): number =>
    parseConfig({ ...usable, LOCK_HEARTBEAT_SECONDS: '1', STALE_IDLE_SECONDS: staleSeconds }).instance.lock
      .statementDeadlineMs;
  expect(['2', '15', '60'].map(deadlineOf)).toEqual([3_000, 5_000, 10_000]);
});

test('what an update may take ends well before its pick may be taken over', () => {
  const problems = (seconds: string) => namesOf(problemsOf({ ...usable, UPDATE_DEADLINE_SECONDS: seconds }));
  expect([problems('30'), problems('31')]).toEqual([[], ['UPDATE_DEADLINE_SECONDS']]);
});

test('a release has the name it was given, or that of its commit, or its version', () => {
  const releaseOf = (more: Record<string, string>): string =>
    parseConfig({ ...usable, ...more }).instance.release;
  expect(releaseOf({ RELEASE: 'mine', RENDER_GIT_COMMIT: 'abc' })).toBe('mine');
  expect(releaseOf({ RENDER_GIT_COMMIT: 'abc' })).toBe('abc');
  expect(releaseOf({})).toMatch(/^\d+\.\d+\.\d+/);
});

test('the value of a secret is never printed, neither in a problem nor with the configuration', () => {
  const broken = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [name, `${value} broken ы`]),
  );
  const shortSecret = { HASH_SECRET: 'canary-short' };
  const message = problemsOf({ ...usable, ...broken, ...shortSecret, PORT: 'x' }).join('\n');
  expect(message).toContain('HASH_SECRET');
  expect(message).not.toMatch(/canary|broken/);

  const config = parseConfig({ ...usable, ...secrets });
  const { token, apiRoot } = config.telegram;
  expect([token.reveal(), apiRoot]).toEqual([secrets.TELEGRAM_BOT_TOKEN, 'https://api.telegram.org']);
  for (const printed of [JSON.stringify(config), inspect(config, { depth: 10 }), `${token}`]) {
    expect(printed).not.toContain('canary');
  }
});

test('what is not set has a default', () => {
  expect(parseConfig(usable)).toMatchObject({
    telegram: { botId: 424242, apiRoot: 'https://api.telegram.org' },
    bot: { mode: 'webhook', baseUrl: 'https://bot.example', previousSecretToken: undefined },
    port: 8080,
    host: '0.0.0.0',
    adminIds: [],
    kie: {
      apiUrl: 'https://api.kie.ai',
      uploadUrl: 'https://kieai.redpandaai.co',
      webhookHmacKey: undefined,
    },
    money: { rates: { usdRub: '92.5', multiplier: '2' }, welcomeCredit: 0 },
    singleModel: undefined,
    log: { format: 'json', level: 'INFO', otlp: false },
    silenceGuard: true,
    journal: { retentionDays: 30, maxMegabytes: 2_000 },
    environment: 'production',
  });
});

test('prices come from text, so that no digit of a rate is lost', () => {
  const { money, singleModel, kie } = parseConfig({
    ...usable,
    USD_RUB_RATE: '92.123456789',
    PRICE_MULTIPLIER: '1.10',
    WELCOME_CREDIT: '5000',
    SINGLE_MODEL_ONLY: 'z-image',
    KIE_UPLOAD_URL: 'https://uploads.example/',
  });
  expect(money).toEqual({ rates: { usdRub: '92.123456789', multiplier: '1.10' }, welcomeCredit: 5_000 });
  expect([singleModel, kie.uploadUrl]).toEqual(['z-image', 'https://uploads.example']);
});

test.each(['0', '0.000', '-92', '1e2', '9999999999', ' 92', '0x5c', 'NaN', '92.', '.5'])(
  'a rate of %j is refused',
  rate => {
    const unusable = { ...usable, USD_RUB_RATE: rate, PRICE_MULTIPLIER: rate };
    expect(namesOf(problemsOf(unusable)).toSorted()).toEqual(['PRICE_MULTIPLIER', 'USD_RUB_RATE']);
  },
);

test.each([
  ['production', '0.0.0.0'],
  ['development', '127.0.0.1'],
  ['test', '127.0.0.1'],
])('in %s the server listens on %s, unless HOST says otherwise', (environment, host) => {
  expect(parseConfig({ ...usable, NODE_ENV: environment }).host).toBe(host);
  expect(parseConfig({ ...usable, NODE_ENV: environment, HOST: '10.0.0.1' }).host).toBe('10.0.0.1');
});

test.each([
  ['debug', 'DEBUG'],
  ['WARN', 'WARNING'],
  ['warning', 'WARNING'],
  ['CRITICAL', 'CRITICAL'],
])('the log level %s is %s', (given, level) => {
  expect(parseConfig({ ...usable, LOG_LEVEL: given }).log.level).toBe(level);
});

test('the base URL is that of Render where there is none of its own, without a slash at its end', () => {
  const render = { ...usable, RENDER_EXTERNAL_URL: 'https://trt.onrender.example/' };
  expect(webhookOf(render).baseUrl).toBe('https://bot.example');
  expect(webhookOf({ ...render, WEBHOOK_BASE_URL: '' }).baseUrl).toBe('https://trt.onrender.example');
  expect(webhookOf({ ...usable, WEBHOOK_BASE_URL: 'https://bot.example/base//' }).baseUrl).toBe(
    'https://bot.example/base',
  );
});

test.each(['http://localhost:8080', 'http://127.0.0.1:8080', 'http://127.1.2.3', 'http://[::1]:8080'])(
  'Telegram may call %s without https, which is this machine',
  url => {
    expect(webhookOf({ ...usable, WEBHOOK_BASE_URL: url }).baseUrl).toBe(url);
  },
);

test.each([
  'http://bot.example',
  'http://localhost.bot.example',
  'http://127.0.0.1.bot.example',
  'http://10.0.0.1',
])('Telegram may not call %s without https', url => {
  const problems = problemsOf({ ...usable, WEBHOOK_BASE_URL: url });
  expect(problems).toEqual([expect.stringMatching(/^WEBHOOK_BASE_URL must be https/)]);
});

test('loopback is told by the literal name', () => {
  expect(['localhost', '[::1]', '127.0.0.1'].map(isLoopback)).toEqual([true, true, true]);
  expect(['example.com', '0.0.0.0', '128.0.0.1', ''].map(isLoopback)).toEqual([false, false, false, false]);
});

test('the admins are those of both variables, each once', () => {
  expect(parseConfig({ ...usable, ADMIN_IDS: ' 1, 2,,3 ', ADMIN_ID: '2' }).adminIds).toEqual([1, 2, 3]);
  expect(parseConfig({ ...usable, ADMIN_ID: '7' }).adminIds).toEqual([7]);
});

test('a webhook needs its secret everywhere but in development', () => {
  const { WEBHOOK_SECRET_TOKEN: _, ...open } = usable;
  for (const environment of ['production', 'test', undefined])
    expect(namesOf(problemsOf({ ...open, NODE_ENV: environment }))).toEqual(['WEBHOOK_SECRET_TOKEN']);
  expect(webhookOf({ ...open, NODE_ENV: 'development' }).secretToken).toBeUndefined();
});

test('while a secret is rotated both are known', () => {
  const { secretToken, previousSecretToken } = webhookOf({ ...usable, ...secrets });
  expect([secretToken, previousSecretToken].map((secret: Secret | undefined) => secret?.reveal())).toEqual([
    secrets.WEBHOOK_SECRET_TOKEN,
    secrets.WEBHOOK_SECRET_TOKEN_PREVIOUS,
  ]);
});

test('polling needs neither a URL nor a secret', () => {
  const { WEBHOOK_BASE_URL: _, WEBHOOK_SECRET_TOKEN: __, ...rest } = usable;
  expect(parseConfig({ ...rest, BOT_MODE: 'polling' }).bot).toEqual({ mode: 'polling' });
});

test('.env.example names exactly the variables that are read', () => {
  const read = new Set<string>();
  const recording = new Proxy(usable, {
    get(environment, name) {
      if (typeof name === 'string') read.add(name);
      return Reflect.get(environment, name);
    },
  });
  parseConfig(recording);
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const named = [...example.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map(([, name = '']) => name);
  const notOfOtel = (names: Iterable<string>): string[] =>
    [...names].filter(name => !name.startsWith('OTEL_')).toSorted();
  // Render sets this one itself, so there is nothing to fill in.
  expect(example).toContain('RENDER_EXTERNAL_URL');
  expect(notOfOtel([...named, 'RENDER_EXTERNAL_URL'])).toEqual(notOfOtel(read));
  expect([...read].filter(name => name.startsWith('OTEL_') && !named.includes(name))).toEqual([]);
});
