// Everything that chaos is played on: a Postgres of its own, the stand-ins of Telegram and KIE.ai, a balancer, and two
// or three instances of the bot as processes, each with proxies of its own. All of it on loopback. Lock and deadlines
// are as in production but shorter, in the same relations.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { createLifecycle } from '../../src/lifecycle.ts';
import { type Balancer, startBalancer } from '../balancer.ts';
import { findFreePort } from '../free-port.ts';
import { createLineCheck, type LineCheck } from '../history/line-check.ts';
import type { Ask } from '../history/stored.ts';
import { type KieSandbox, startKieSandbox } from '../kie/index.ts';
import { type SandboxPostgres, startPostgres } from '../postgres.ts';
import { startProxies } from '../proxies.ts';
import { standInEnvironment } from '../stand-in-environment.ts';
import { startHttpProxy, startPostgresProxy, type TcpProxy } from '../tcp-proxy.ts';
import { type SentUpdate, startTelegramSandbox, type TelegramSandbox } from '../telegram/index.ts';
import { createSlot, type Slot } from './slot.ts';

export interface Ground {
  readonly postgres: SandboxPostgres;
  readonly telegram: TelegramSandbox;
  readonly kie: KieSandbox;
  /** Before KIE.ai's result files. */
  readonly fileHost: TcpProxy;
  /** Before all instances. */
  readonly balancer: Balancer;
  readonly slots: readonly Slot[];
  readonly lineCheck: LineCheck;
  /** Past every proxy. Rejects while Postgres is away. */
  readonly ask: Ask;
  /** Updates that were sent so far, by whoever plays on it. */
  readonly sent: SentUpdate[];
  /** What users write; it must stand in no line. */
  readonly canary: string;
}

export interface GroundOptions {
  readonly instances: number;
  readonly mode: 'single' | 'cluster';
  /** How updates come. */
  readonly source: 'webhook' | 'polling';
  readonly onStop: ReturnType<typeof createLifecycle>['onStop'];
  /** Told of each line of each instance. */
  readonly onLine: (instance: number, line: string) => void;
}

/** How long work may be owed, in seconds: STALE_IDLE_SECONDS of the instances. */
export const staleIdleSeconds = 3;
/** UPDATE_DEADLINE_SECONDS of the instances. */
export const updateDeadlineSeconds = 5;
const shortTimings = {
  LOCK_HEARTBEAT_SECONDS: '0.5',
  STALE_IDLE_SECONDS: String(staleIdleSeconds),
  LOCK_RELEASE_WAIT_SECONDS: '1',
  UPDATE_DEADLINE_SECONDS: String(updateDeadlineSeconds),
} as const;
const stopDeadlineMs = 40_000;
/** On a busy machine taps are worked later than Telegram waits; that they are answered is what counts. */
const callbackLifetimeMs = 120_000;

/** Nothing of the bot runs yet. What was started is registered with `onStop`. */
export async function prepareGround(options: GroundOptions): Promise<Ground> {
  const { onStop } = options;
  // It crashes now and then, and what was committed must be there afterwards; the machine itself does not crash.
  const postgres = await startPostgres({ settings: { max_connections: '300', synchronous_commit: 'on' } });
  onStop('Postgres', () => postgres.stop());
  const databaseUrl = await postgres.createDatabase();
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 3,
    application_name: 'chaos',
    // It must see and undo what it has done to the server.
    options: '-c default_transaction_read_only=off',
  });
  // It is restarted now and then; the next question opens a new connection.
  pool.on('error', () => undefined);
  onStop('connections of chaos', () => pool.end());

  const telegram = await startTelegramSandbox({
    retryDelaysMs: { base: 50, cap: 500 },
    callbackLifetimeMs,
    webhookTimeoutMs: 10_000,
  });
  onStop('Telegram', () => telegram.stop());
  const kie = await startKieSandbox({
    stepMs: 150,
    credits: 1_000_000,
    callbackRetryDelayMs: 300,
    webhookHmacKey: randomBytes(16).toString('hex'),
  });
  onStop('KIE.ai', () => kie.stop());
  const fileHost = await startHttpProxy(kie.apiUrl);
  onStop('file host', async () => fileHost[Symbol.asyncDispose]());
  kie.offerFilesAt(fileHost.url);
  const balancer = await startBalancer();
  onStop('balancer', async () => balancer[Symbol.asyncDispose]());

  const canary = `canary${randomBytes(6).toString('hex')}`;
  const environment = {
    ...standInEnvironment({ telegram, kie, databaseUrl }),
    WEBHOOK_BASE_URL: balancer.url,
    BOT_MODE: options.source,
    WELCOME_CREDIT: '100000000',
    INSTANCE_MODE: options.mode,
    RELEASE: 'chaos-0',
    NODE_ENV: 'test',
    ...shortTimings,
  };
  const lineCheck = createLineCheck([
    telegram.token,
    kie.apiKey,
    environment.HASH_SECRET,
    environment.WEBHOOK_SECRET_TOKEN,
    new pg.Client({ connectionString: databaseUrl }).password ?? databaseUrl,
    canary,
  ]);
  const slots: Slot[] = [];
  for (let number = 1; number <= options.instances; number++) {
    const proxies = await startProxies(environment);
    onStop('proxies', async () => proxies[Symbol.asyncDispose]());
    const lock = await startPostgresProxy(databaseUrl);
    onStop('proxy of the lock', async () => lock[Symbol.asyncDispose]());
    const temporaryFolder = await mkdtemp(path.join(tmpdir(), 'trt-chaos-'));
    onStop('temporary folder', () => rm(temporaryFolder, { recursive: true, force: true }));
    const port = await findFreePort();
    const slot = createSlot({
      number,
      port,
      proxies: { ...proxies, lock },
      temporaryFolder,
      environment: { ...proxies.environment, LOCK_DATABASE_URL: lock.url },
      lineCheck,
      onLine: line => options.onLine(number, line),
    });
    onStop(`instance ${number}`, () => slot.stop(stopDeadlineMs));
    balancer.add(port);
    slots.push(slot);
  }
  return {
    postgres,
    telegram,
    kie,
    fileHost,
    balancer,
    slots,
    lineCheck,
    ask: async (text, values) => (await pool.query(text, values)).rows,
    sent: [],
    canary,
  };
}
