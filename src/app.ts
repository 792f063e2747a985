// The composition root: every part is made here, once, and handed what it needs. No part looks another one
// up. `start` brings the app up in the order in which parts can do their work: updates can be stored before
// anything else runs; `stop` takes it down in reverse and loses nothing that was acknowledged.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import querystring from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { createTelegramApi } from './bot/api.ts';
import { createBot } from './bot/bot.ts';
import type { Handlers } from './bot/context.ts';
import { createDeliverer } from './bot/delivery.ts';
import { createFrame } from './bot/frame.ts';
import { createIntake } from './bot/intake.ts';
import { startPolling } from './bot/polling.ts';
import { createReception } from './bot/reception.ts';
import { registerCommands, registerWebhook } from './bot/registration.ts';
import { createCatalogue } from './catalogue/catalogue.ts';
import { type Config, isLoopback } from './config.ts';
import { errorType } from './errors.ts';
import { handlers } from './handlers/index.ts';
import { registerHealthRoutes } from './http/health.ts';
import { registerKieCallbackRoute } from './http/kie-callback.ts';
import { createServer } from './http/server.ts';
import { registerWebhookRoute } from './http/webhook.ts';
import { createInbox } from './inbox/inbox.ts';
import { createInboxDepth } from './inbox/inbox-depth.ts';
import { createInboxTotals } from './inbox/inbox-totals.ts';
import { createLanes } from './inbox/lanes.ts';
import { startWorkers } from './inbox/workers.ts';
import { createDownloader } from './kie/download.ts';
import { createMarketClient } from './kie/market-client.ts';
import { createLifecycle } from './lifecycle.ts';
import { createDuty, type Running } from './lock/duty.ts';
import type { InstanceState } from './lock/instance-state.ts';
import { createRole } from './lock/role.ts';
import { createLogger, type LogDestination } from './otel/logger.ts';
import { createPseudonyms, createScrubber } from './otel/privacy.ts';
import { createTelemetry, type Telemetry } from './otel/telemetry.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { type PipelineTimings, productionTimings } from './pipeline/timings.ts';
import { Secret } from './secret.ts';
import { service } from './service.ts';
import { createDatabase } from './storage/database.ts';
import { shareWork, takeOverFromDead, takeOverWork } from './storage/job-queue.ts';
import { createMessageStore } from './storage/message-store.ts';
import { migrate } from './storage/migrate.ts';
import { createRefusedUpdateStore } from './storage/refused-update-store.ts';
import { createTaskStore } from './storage/task-store.ts';
import { createUpdateStore } from './storage/update-store.ts';
import { createWaitingUpdates } from './storage/waiting-updates.ts';
import { createTexts } from './ui/texts.ts';

/** What tests and the sandbox may replace; production uses the defaults. */
export interface AppOverrides {
  readonly logDestination?: LogDestination;
  readonly instanceId?: string;
  readonly timings?: PipelineTimings;
  readonly handlers?: Handlers;
  /** How many updates and tasks may be worked at a time. */
  readonly concurrency?: number;
  readonly state?: InstanceState;
}

export interface App {
  /** Resolves when updates are taken and worked. Rejects, with everything stopped again, when it cannot start. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly telemetry: Telemetry;
  /** Where the HTTP server listens; only after `start`. */
  url(): string;
}

/** Jobs wait for Telegram far more than they compute: with 100 ms per call this many make more than 1 000 updates/s. */
const defaultConcurrency = 200;
const lookForDeadMs = 2_000;
const registrationPauseMs = 5_000;
const databasePoolSize = 20;
const queuePoolSize = 5;
/** Largest photo the Bot API takes by upload. */
const maxResultBytes = 10 * 1_048_576;
const downloadTimeoutMs = 30_000;
const logStopDeadlineMs = 3_000;

export function buildApp(config: Config, overrides: AppOverrides = {}): App {
  const lifecycle = createLifecycle();
  const instanceId = overrides.instanceId ?? `trt-${randomBytes(4).toString('hex')}`;
  let state: InstanceState = {
    isActive: () => false,
    isAbandoned: () => false,
    isHolderLate: () => false,
  };
  const botState = () => (state.isActive() ? 'ACTIVE' : 'PASSIVE');
  const logger = createLogger({
    format: config.log.format,
    level: config.log.level,
    ...(overrides.logDestination ? { destination: overrides.logDestination } : {}),
    ...(config.log.otlp ? { otlp: { serviceName: service.name, serviceVersion: service.version } } : {}),
  });
  const telemetry = createTelemetry({
    logger,
    instance: { instance_id: instanceId, botState },
    scrub: createScrubber(secretsOf(config)),
    serviceVersion: service.version,
  });
  let listening: AddressInfo | undefined;

  const url = (): string =>
    `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${listening?.port ?? config.port}`;

  function endedBadly(operation: string): (error: unknown) => void {
    return error => telemetry.warn(operation, error);
  }

  /** Until it succeeds or is not wanted any more. Never rejects. */
  async function keepTrying(attempt: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        endedBadly('register at Telegram')(error);
        await sleep(registrationPauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async function run(): Promise<void> {
    const startedAt = performance.now();
    lifecycle.onStop('logger', () => logger.stop(logStopDeadlineMs));
    const catalogue = createCatalogue();
    const schema = await migrate(config.lockDatabaseUrl);
    if (schema.ahead.length > 0)
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'migrate',
        error_type: 'DATABASE_AHEAD',
        error_message: `The database is ahead of this release by ${schema.ahead.join(', ')}`,
      });
    const database = createDatabase({
      url: config.databaseUrl,
      instanceId,
      poolSize: databasePoolSize,
      telemetry,
    });
    lifecycle.onStop('database', () => database.stop());
    const texts = createTexts();
    const pseudonyms = createPseudonyms(config.hashSecret);
    // Of its own: through a transaction pooler nobody can LISTEN, and which job is taken need not outlive a crash of
    // the database.
    const queueDatabase = createDatabase({
      url: config.lockDatabaseUrl,
      instanceId,
      poolSize: queuePoolSize,
      durableCommits: false,
      telemetry,
    });
    lifecycle.onStop('database of the queue', () => queueDatabase.stop());
    const work = createDuty(() => beginWork(), endedBadly('stop the workers'));
    const source = createDuty(() => openSource(), endedBadly('stop taking updates'));
    const role = createRole({
      mode: config.instance.mode,
      url: config.lockDatabaseUrl,
      database,
      botId: config.telegram.botId,
      instanceId,
      release: config.instance.release,
      timings: config.instance.lock,
      telemetry,
      work,
      source,
    });
    lifecycle.onStop('membership', async () => {
      await role.leave();
      if (config.instance.mode === 'cluster') await shareWork(database);
    });
    state = overrides.state ?? role.state;
    const { lease } = role;
    const totals = createInboxTotals();
    const updates = totals.countUpdates(
      createUpdateStore({ database, botId: config.telegram.botId, instanceId, lease }),
    );
    const tasks = createTaskStore(database, lease);
    const telegram = createTelegramApi({ ...config.telegram, telemetry });
    lifecycle.onStop('Telegram client', () => telegram.stop());
    const market = createMarketClient({ ...config.kie, telemetry });
    lifecycle.onStop('KIE client', () => market.close());
    const downloader = createDownloader({
      // Results of a stand-in on this machine may be fetched from it; a public supplier may never point here.
      allowLoopback: isLoopback(new URL(config.kie.apiUrl).hostname),
      maxBytes: maxResultBytes,
      timeoutMs: downloadTimeoutMs,
    });
    lifecycle.onStop('downloader', () => downloader.close());
    /** Known once the server listens; nothing runs before that. */
    const publicUrl = (): string | undefined =>
      config.bot.mode === 'webhook' ? withPort(config.bot.baseUrl, listening?.port) : undefined;
    const messages = createMessageStore(database);
    const pipeline = createPipeline({
      tasks,
      catalogue,
      market,
      deliverer: createDeliverer({
        telegram,
        messages,
        catalogue,
        texts,
        downloader,
        telemetry,
      }),
      telemetry,
      instanceId,
      timings: overrides.timings ?? productionTimings,
      callbackUrl(token) {
        const base = publicUrl();
        return base === undefined ? undefined : `${base}/callbacks/kie/${token}`;
      },
    });
    const inbox = createInbox(updates);
    const reception = createReception({
      state,
      mode: config.instance.passiveMode,
      api: telegram.api,
      refusedUpdates: totals.countRefusedUpdates(createRefusedUpdateStore(database, config.telegram.botId)),
      waitingUpdates: createWaitingUpdates(database, config.telegram.botId),
      messages,
      catalogue,
      texts,
      telemetry,
      pseudonyms,
    });
    lifecycle.onStop('reception', () => reception.stop());
    const intake = createIntake({
      inbox,
      reception,
      store: updates,
      telemetry,
      pseudonyms,
      spanKind: config.bot.mode === 'webhook' ? SpanKind.SERVER : SpanKind.CONSUMER,
    });

    const depth = totals.countAdmissions(
      createInboxDepth({ count: () => updates.depth(), max: config.inboxMax, telemetry }),
    );
    const server = createServer(telemetry);
    registerHealthRoutes(server, {
      database,
      updates,
      role,
      totals,
      instanceId,
      instanceMode: config.instance.mode,
      botMode: config.bot.mode,
      release: config.instance.release,
      schemaVersion: schema.schemaVersion,
      queueMax: config.inboxMax,
      botState,
    });
    registerKieCallbackRoute(server, { tasks, hmacKey: config.kie.webhookHmacKey, telemetry });
    if (config.bot.mode === 'webhook')
      registerWebhookRoute(server, { bot: config.bot, intake, depth, telemetry });
    await server.listen({ host: config.host, port: config.port });
    lifecycle.onStop('HTTP server', () => server.close());
    listening = server.server.address() as AddressInfo;

    const me = await telegram.api.getMe();
    const frame = createFrame({
      handlers: overrides.handlers ?? handlers,
      catalogue,
      pipeline,
      texts,
      telemetry,
    });
    const bot = createBot({
      api: telegram.api,
      me,
      frame,
      telemetry,
      pseudonyms,
      silenceGuard: config.silenceGuard,
    });
    const lanes = createLanes({
      store: updates,
      inbox,
      handler: bot,
      telemetry,
      instanceId,
      onPick: reception.picked,
      isActive: () => state.isActive(),
      isShared: config.instance.mode === 'cluster',
    });

    async function beginWork(): Promise<Running> {
      const { mode, lock } = config.instance;
      if (mode === 'single') await takeOverWork(database, instanceId);
      else if ((await takeOverFromDead(database, lock.staleMs)) === 0) await shareWork(database);
      const workers = await startWorkers({
        database: queueDatabase,
        jobs: { lane: ({ lane }) => lanes.work(lane), task: ({ task }) => pipeline.advance(task) },
        telemetry,
        concurrency: overrides.concurrency ?? defaultConcurrency,
        onEnded: error => {
          endedBadly('work jobs')(error);
          role.resign('workers ended');
        },
      });
      if (mode === 'single') return workers;
      const looking = setInterval(() => {
        takeOverFromDead(database, lock.staleMs).catch(endedBadly('take over from dead members'));
      }, lookForDeadMs);
      return {
        settled: workers.settled,
        stop() {
          clearInterval(looking);
          return workers.stop();
        },
      };
    }

    let isStarting = true;
    const register = async (): Promise<void> => {
      await registerWebhook(telegram.api, publicUrl(), config.bot);
      await registerCommands(telegram.api, texts);
    };

    /** What is wrong with the registration keeps the process from starting; later it is tried until it succeeds. */
    async function openSource(): Promise<Running> {
      const ending = new AbortController();
      const registered = isStarting ? register() : keepTrying(register, ending.signal);
      if (isStarting) await registered;
      const polling =
        config.bot.mode === 'polling'
          ? startPolling({ api: telegram.polling, intake, depth, telemetry })
          : undefined;
      return {
        settled: async () => undefined,
        async stop() {
          ending.abort();
          await Promise.all([registered, polling?.stop()]);
        },
      };
    }

    lifecycle.onStop('workers', () => work.stop());
    lifecycle.onStop('source of updates', () => source.stop());
    lifecycle.onStop('lock', () => role.release());
    await role.start();
    isStarting = false;
    telemetry.emit('BOOT_OK', {
      operation: config.bot.mode,
      duration_ms: Math.round(performance.now() - startedAt),
    });
  }

  return {
    telemetry,
    url,
    async start() {
      try {
        await run();
      } catch (error) {
        telemetry.emit('BOOT_FAIL', {
          error_type: errorType(error),
          error_message: telemetry.scrub(error instanceof Error ? error.message : String(error)),
        });
        await lifecycle.stop();
        throw error;
      }
    },
    stop: () => lifecycle.stop(),
  };
}

/** A base URL with port 0 stands for the port that was free, as PORT=0 does. */
function withPort(baseUrl: string, port: number | undefined): string {
  const url = new URL(baseUrl);
  if (url.port === '0' && port !== undefined) url.port = String(port);
  return url.href.replace(/\/$/, '');
}

/** Everything that must not appear in any output, even inside somebody else's error text. */
function secretsOf(config: Config): Parameters<typeof createScrubber>[0] {
  const optional = [
    config.lockDatabaseUrl,
    config.kie.webhookHmacKey,
    ...(config.bot.mode === 'webhook' ? [config.bot.secretToken, config.bot.previousSecretToken] : []),
  ];
  return [
    config.telegram.token,
    config.databaseUrl,
    ...passwordOf(config.databaseUrl),
    ...passwordOf(config.lockDatabaseUrl),
    config.hashSecret,
    config.kie.apiKey,
    ...optional.filter(secret => secret !== undefined),
  ];
}

/** The password in a database URL, as it stands there and as it is meant. WHATWG URLs cannot hold `user:password@/database`. */
function passwordOf(databaseUrl: Secret): Secret[] {
  const written = /^\w+:\/\/[^:@/]*:([^@]+)@/.exec(databaseUrl.reveal())?.[1];
  // Not decodeURIComponent, which throws for what is no valid escape.
  return written === undefined ? [] : [new Secret(written), new Secret(querystring.unescape(written))];
}
