// The composition root: builds every part from the configuration and starts and stops them in order.
// Nothing else in the program creates its own collaborators.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { createReconcile } from '../billing/reconcile.ts';
import { createBot } from '../bot/bot.ts';
import type { Handlers } from '../bot/context.ts';
import { createFollowUpWork } from '../bot/follow-up-work.ts';
import { createFrame } from '../bot/frame.ts';
import { createOwedScreens } from '../bot/owed-screens.ts';
import { createPersonalData } from '../bot/personal-data.ts';
import { type Config, secretsOf } from '../config/config.ts';
import { errorMessage, errorType } from '../errors.ts';
import { handlers } from '../handlers/index.ts';
import { createHealth } from '../health/instance-health.ts';
import { registerHealthRoutes } from '../http/health.ts';
import { registerKieCallbackRoute } from '../http/kie-callback.ts';
import { listen } from '../http/listen.ts';
import { createServer } from '../http/server.ts';
import { registerWebhookRoute } from '../http/webhook.ts';
import { createFollowUps } from '../inbox/follow-ups.ts';
import { createInbox } from '../inbox/inbox.ts';
import { createInboxDepth } from '../inbox/inbox-depth.ts';
import { createInboxTotals } from '../inbox/inbox-totals.ts';
import { createIntakeProof } from '../inbox/intake-proof.ts';
import { createLanes } from '../inbox/lanes.ts';
import type { KieClient } from '../kie/client.ts';
import { createLifecycle, failureFields } from '../lifecycle.ts';
import type { InstanceState } from '../lock/instance-state.ts';
import { createRole, proofLimitOf } from '../lock/role.ts';
import { createRoleTask } from '../lock/role-task.ts';
import { createDebugLevel } from '../otel/debug-level.ts';
import { createEventCounts } from '../otel/event-counts.ts';
import { createLogger, type LogDestination } from '../otel/logger.ts';
import { createPeriodicWarnings } from '../otel/periodic-warnings.ts';
import { createPseudonyms } from '../otel/pseudonyms.ts';
import { createScrubber } from '../otel/redaction.ts';
import { createRefusals } from '../otel/refusals.ts';
import { createTelemetry, type Telemetry } from '../otel/telemetry.ts';
import { type PipelineTimings, productionTimings } from '../pipeline/timings.ts';
import { nameInWarnings } from '../postgres/named-warnings.ts';
import { forgottenUpdate } from '../reception/forgotten-update.ts';
import { createIntake } from '../reception/intake.ts';
import { startPolling } from '../reception/polling.ts';
import { createReception } from '../reception/reception.ts';
import { service } from '../service.ts';
import { createBoundedReads } from '../storage/bounded-reads.ts';
import { createDatabase } from '../storage/database.ts';
import { databaseAnswer } from '../storage/database-answer.ts';
import { createDebugLevelStore } from '../storage/debug-level-store.ts';
import { createFollowUpStore } from '../storage/follow-up-store.ts';
import { createHousekeepingStore } from '../storage/housekeeping-store.ts';
import { cleanQueue, shareWork } from '../storage/job-queue.ts';
import { createJournalReader } from '../storage/journal-store.ts';
import { createMessageStore } from '../storage/message-store.ts';
import { migrate } from '../storage/migrate.ts';
import { createOwedStore } from '../storage/owed-store.ts';
import { createPersonalDataStore } from '../storage/personal-data.ts';
import { createRetention } from '../storage/retention.ts';
import { createUpdateStore } from '../storage/update-store.ts';
import { createWaitingUpdates } from '../storage/waiting-updates.ts';
import { createTelegramApi } from '../telegram/api.ts';
import { botIdentity } from '../telegram/identity.ts';
import { pseudonymsOf } from '../telegram/incoming.ts';
import {
  registerCommands,
  registerWebhook,
  shownWebhookAddress,
  webhookAddress,
} from '../telegram/registration.ts';
import { createSourceWatch } from '../telegram/source-watch.ts';
import { createTexts } from '../ui/texts.ts';
import { createAdministration } from './administration.ts';
import { beginWork, openSource } from './duties.ts';
import { createGenerations } from './generations.ts';
import { type Chore, startHousekeeping } from './housekeeping.ts';
import { createJournaling } from './journaling.ts';
import { startMetering } from './metering.ts';
import { createStartWait } from './start-wait.ts';

/** What tests and the sandbox may replace; production uses the defaults. */
export interface AppOverrides {
  readonly logDestination?: LogDestination;
  readonly instanceId?: string;
  readonly timings?: PipelineTimings;
  readonly handlers?: Handlers;
  /** How many chats may be worked at a time. */
  readonly concurrency?: number;
  readonly state?: InstanceState;
  /** How often Telegram is asked where updates go. */
  readonly lookAtSourceEveryMs?: number;
}

export interface App {
  /** Resolves when updates are taken and worked. Rejects, with everything stopped again, when it cannot start. */
  start(): Promise<void>;
  /**
   * Ends within SHUTDOWN_GRACE_SECONDS, whatever hangs. `operation`: what asked for it; then SHUTDOWN tells how it went.
   * Rejects when a part failed or did not end in time, after all of them were asked to.
   */
  stop(operation?: string): Promise<void>;
  readonly telemetry: Telemetry;
  /**
   * For the very end, which may come before the stop has ended: tells SHUTDOWN where `stop` was called and has not told
   * it yet, and writes the lines that stdout has not taken, holding the thread for a moment.
   */
  endNow(): void;
  /** Where the HTTP server listens; only after `start`. */
  url(): string;
}

/** Jobs wait for Telegram far more than they compute: with 100 ms per call this many make more than 1 000 updates/s. */
const defaultConcurrency = 200;
/** A task's step waits for the supplier and for hosts of files; its stages have limits of their own. */
const taskConcurrency = 100;
const databasePoolSize = 20;
/** Of each of the two runners; one of them listens. */
const queuePoolSize = 4;
/** Statements that read or delete much. */
const longStatements = { poolSize: 2, deadlineMs: 40_000 };
const logStopDeadlineMs = 3_000;
/** Administrators and users wait for what is read from the journal. */
const journalReadMs = 3_000;
const lastLinesMs = 250;
/** Of the grace: for the journal, the exporters and the lines, whatever hangs before them. */
const lastWordsMs = 6_000;
const journalStopMs = 3_500;
const supplierCheckMs = 2_000;

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
    warn: (...told) => telemetry.warn(...told),
    ...(overrides.logDestination ? { destination: overrides.logDestination } : {}),
    ...(config.log.otlp ? { otlp: { serviceName: service.name, serviceVersion: service.version } } : {}),
  });
  const journaling =
    config.journal &&
    createJournaling({
      ...config.journal,
      url: config.lockDatabaseUrl,
      instanceId,
      release: config.instance.release,
      // It tells seldom by itself, and each time what was dropped since the last.
      warn: (...told) => nameInWarnings(telemetry, lockDatabaseName).warn(...told),
    });
  const eventCounts = createEventCounts();
  const telemetry: Telemetry = createTelemetry({
    logger,
    sinks: [eventCounts],
    journal: journaling,
    instance: { instance_id: instanceId, botState },
    scrub: createScrubber(secretsOf(config)),
    serviceVersion: service.version,
    checked: config.environment !== 'production',
  });
  // For what asks again and again by itself.
  const periodic = createPeriodicWarnings(telemetry);
  const lockVariable = config.lockDatabaseUrl === config.databaseUrl ? 'DATABASE_URL' : 'LOCK_DATABASE_URL';
  const ofDatabase = nameInWarnings(
    periodic.telemetry,
    () => databaseAnswer(config.databaseUrl, 'DATABASE_URL').name,
  );
  const lockDatabaseName = () => databaseAnswer(config.lockDatabaseUrl, lockVariable).name;
  const ofLockDatabase = nameInWarnings(periodic.telemetry, lockDatabaseName);
  let listening: AddressInfo | undefined;

  const url = (): string =>
    `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${listening?.port ?? config.port}`;

  const warnOf =
    (operation: string) =>
    (error: unknown): void =>
      telemetry.warn(operation, error);

  let stopOperation: string | undefined;
  let stoppingSince = 0;
  let isShutdownTold = false;
  const { shutdownGraceMs } = config.instance;
  const stopLimitMs = shutdownGraceMs - Math.min(lastWordsMs, shutdownGraceMs / 3);

  function emitShutdown(): void {
    if (stopOperation === undefined || isShutdownTold) return;
    isShutdownTold = true;
    const { error_type: type, error_message: message } = failureFields(lifecycle.failures);
    telemetry.emit('SHUTDOWN', {
      operation: stopOperation,
      duration_ms: Math.round(performance.now() - stoppingSince),
      error_type: type,
      error_message: message === undefined ? undefined : telemetry.scrub(message),
    });
  }

  async function run(): Promise<void> {
    const startedAt = performance.now();
    lifecycle.onStop('logger', () => logger.stop(logStopDeadlineMs), { leastMs: logStopDeadlineMs });
    lifecycle.onStop('journal', () => journaling?.stop(), { leastMs: journalStopMs });
    // When all that works has stopped, so that it can tell what has not, and before all that keeps lines does.
    lifecycle.onStop('last words', emitShutdown);
    lifecycle.onStop('warnings', async () => periodic.stop());
    const refusals = createRefusals(telemetry);
    lifecycle.onStop('refusals', async () => refusals.stop());
    const { statementDeadlineMs: deadlineMs } = config.instance.lock;
    // Only who has a pooler there says where Postgres itself is.
    const isPooled = config.lockDatabaseUrl.reveal() !== config.databaseUrl.reveal();
    const database = createDatabase({
      url: config.databaseUrl,
      isPooled,
      instanceId,
      poolSize: databasePoolSize,
      deadlineMs,
      telemetry: ofDatabase,
    });
    lifecycle.onStop('database', () => database.stop());
    const archive = createDatabase({
      url: config.databaseUrl,
      isPooled,
      instanceId,
      ...longStatements,
      telemetry: ofDatabase,
    });
    lifecycle.onStop('database of long statements', () => archive.stop());
    const debugLevel = createDebugLevel({
      store: createDebugLevelStore(database),
      logger,
      level: config.log.level,
      telemetry,
    });
    lifecycle.onStop('debug level', () => debugLevel.stop());
    const texts = createTexts();
    const pseudonyms = createPseudonyms(config.hashSecret);
    // Of their own: through a transaction pooler nobody can LISTEN, and which job is taken need not outlive a crash of
    // the database.
    const openQueue = () =>
      createDatabase({
        url: config.lockDatabaseUrl,
        instanceId,
        poolSize: queuePoolSize,
        deadlineMs,
        durableCommits: false,
        telemetry: ofLockDatabase,
      });
    // Both are only begun below, when everything that they need is there.
    const work = createRoleTask(
      tenure =>
        beginWork({
          mode: config.instance.mode,
          database,
          openQueue,
          instanceId,
          tenure,
          staleMs: config.instance.lock.staleMs,
          proofLimitMs: proofLimitOf(config.instance.lock),
          lanes,
          task: ({ task }) => pipeline.advance(task),
          tasksUnderWay: pipeline.underWay,
          slots: { lane: overrides.concurrency ?? defaultConcurrency, task: taskConcurrency },
          telemetry: ofDatabase,
        }),
      warnOf('stop the workers'),
    );
    let isStarting = true;
    const source = createRoleTask(
      tenure =>
        openSource({
          tenure,
          register: () => registerWebhook(telegram.api, publicUrl(), config.bot),
          registerCommands: () => registerCommands(telegram.api, texts, config.adminIds),
          isStarting,
          startPolling:
            config.bot.mode === 'polling'
              ? () =>
                  startPolling({
                    api: telegram.polling,
                    intake,
                    depth,
                    refusals,
                    telemetry: periodic.telemetry,
                    onConflict: watch.conflict,
                  })
              : undefined,
          startHousekeeping: () =>
            startHousekeeping({
              store: createHousekeepingStore(database, role.lease),
              chores: {
                'compare the books': hourly(() => createReconcile({ database: archive, telemetry }).run()),
                'delete what is old': hourly(() => createRetention(archive).sweep()),
                'clean the queue': hourly(() => cleanQueue(archive)),
                ...(journaling
                  ? {
                      'keep the journal': hourly(() => journaling.keepPartitions()),
                      'erase from the journal': hourly(() => people.sweepJournal()),
                    }
                  : {}),
              },
              telemetry: ofDatabase,
            }),
          watch,
          telemetry: periodic.telemetry,
        }),
      warnOf('stop taking updates'),
    );
    const role = createRole({
      mode: config.instance.mode,
      url: config.lockDatabaseUrl,
      database,
      botId: config.telegram.botId,
      instanceId,
      release: config.instance.release,
      timings: config.instance.lock,
      telemetry: ofDatabase,
      lockTelemetry: ofLockDatabase,
      work,
      source,
    });
    lifecycle.onStop('membership', async () => {
      await role.leave();
      if (config.instance.mode === 'cluster') await shareWork(database);
    });
    state = overrides.state ?? role.state;
    const { lease } = role;
    const people = createPersonalDataStore({ database, archive, lease, forgotten: forgottenUpdate });
    const totals = createInboxTotals();
    const updates = totals.countUpdates(
      createUpdateStore({
        database,
        botId: config.telegram.botId,
        instanceId,
        laneMax: config.inboxChatMax,
        lease,
      }),
    );
    const telegram = createTelegramApi({ ...config.telegram, telemetry });
    lifecycle.onStop('Telegram client', () => telegram.stop());
    /** Known once the server listens; nothing runs before that. */
    const publicUrl = (): string | undefined =>
      config.bot.mode === 'webhook' ? withPort(config.bot.baseUrl, listening?.port) : undefined;
    const watch = createSourceWatch({
      api: telegram.api,
      address() {
        const url = publicUrl();
        return url === undefined ? undefined : webhookAddress(url);
      },
      restore: () => registerWebhook(telegram.api, publicUrl(), config.bot),
      telemetry,
      ...(overrides.lookAtSourceEveryMs === undefined ? {} : { lookEveryMs: overrides.lookAtSourceEveryMs }),
    });
    const messages = createMessageStore(database);
    const generations = createGenerations({
      config,
      database,
      lease,
      telegram,
      messages,
      pseudonyms,
      texts,
      telemetry,
      lifecycle,
      instanceId,
      timings: overrides.timings ?? productionTimings,
      publicUrl,
    });
    const { pipeline } = generations;
    const intakeProof = createIntakeProof();
    const inbox = createInbox(intakeProof.watch(updates));
    const reception = createReception({
      state,
      mode: config.instance.passiveMode,
      api: telegram.api,
      waitingUpdates: createWaitingUpdates(database, config.telegram.botId),
      messages,
      texts,
      telemetry,
      pseudonyms,
      chatMax: config.inboxChatMax,
    });
    lifecycle.onStop('reception', () => reception.stop());
    const depth = totals.countAdmissions(
      createInboxDepth({ count: () => updates.depth(), max: config.inboxMax, telemetry: ofDatabase }),
    );
    const intake = createIntake({
      inbox,
      reception,
      depth,
      store: updates,
      telemetry,
      pseudonyms,
      spanKind: config.bot.mode === 'webhook' ? SpanKind.SERVER : SpanKind.CONSUMER,
    });

    const stallLimitMs = config.instance.lock.staleMs + config.updateDeadlineMs;
    const health = createHealth({ database, updates, intakeProof, role, stallLimitMs, botState });
    const supplierState = () => generations.kie.breakerState();
    startMetering({ eventCounts, health, lease, queueMax: config.inboxMax, logger, botState, supplierState });
    let schemaVersion = 0;
    let isReady = false;
    const server = createServer({ refusals, telemetry, isStarted: () => isReady });
    registerHealthRoutes(server, {
      health,
      lease,
      totals,
      instanceId,
      instanceMode: config.instance.mode,
      botMode: config.bot.mode,
      release: config.instance.release,
      schemaVersion: () => schemaVersion,
      queueMax: config.inboxMax,
      botState,
      isAbandoned: () => state.isAbandoned(),
      supplierState,
      source: watch.status,
    });
    registerKieCallbackRoute(server, {
      tasks: generations.tasks,
      callbacks: generations.callbacks,
      hmacKey: config.kie.webhookHmacKey,
      refusals,
      telemetry,
    });
    if (config.bot.mode === 'webhook')
      registerWebhookRoute(server, { bot: config.bot, intake, depth, refusals });
    lifecycle.onStop('HTTP server', () => server.close());
    // Before anything is waited for: whoever watches this process sees that it lives, and a port that is taken is told
    // at once.
    listening = await listen(server, config);

    const wait = createStartWait({
      timeoutMs: config.instance.bootTimeoutMs,
      signal: lifecycle.stopping,
      telemetry,
    });
    await wait.until(databaseAnswer(config.lockDatabaseUrl, lockVariable));
    if (lockVariable !== 'DATABASE_URL') await wait.until(databaseAnswer(config.databaseUrl, 'DATABASE_URL'));
    const schema = await migrate(config.lockDatabaseUrl);
    schemaVersion = schema.schemaVersion;
    await journaling?.start();
    if (schema.ahead.length > 0)
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'migrate',
        error_type: 'DATABASE_AHEAD',
        error_message: `The database is ahead of this release by ${schema.ahead.join(', ')}`,
      });
    await debugLevel.start();
    await generations.start();
    const me = await wait.until(botIdentity(telegram.api, config.telegram.apiRoot));
    const keyChecked = checkSupplierKey(generations.kie, telemetry);
    const journal = createJournalReader(createBoundedReads(archive, journalReadMs));
    const personalData = createPersonalData({
      store: people,
      journal,
      journalDays: config.journal?.retentionDays ?? 0,
      flushJournal: async () => journaling?.flush(),
      telegram,
      texts,
      pseudonyms,
      telemetry,
    });
    const { adminTools, reports } = createAdministration({
      config,
      database,
      journal,
      role,
      updates,
      botState,
      source: watch.status,
      debugLevel,
      telegram,
      messages,
      texts,
      pseudonyms,
      telemetry,
    });
    const { catalogue, prices, account, linkRules } = generations;
    const frame = createFrame({
      handlers: overrides.handlers ?? handlers,
      services: { catalogue, account, pipeline, linkRules, reports, personalData },
      prices,
      adminTools,
      texts,
      telemetry,
    });
    const bot = createBot({
      api: telegram.api,
      me,
      frame,
      catalogue: generations.catalogue,
      texts,
      telemetry,
      pseudonyms,
      silenceGuard: config.silenceGuard,
      deadlineMs: config.updateDeadlineMs,
      adminIds: config.adminIds,
      // Of the ecosystem of grammY: what is written for bot.use(…) stands here.
      plugins: [],
    });
    const lanes = createLanes({
      store: updates,
      inbox,
      handler: bot,
      followUps: createFollowUps({
        store: createFollowUpStore({ database, instanceId, lease }),
        work: createFollowUpWork({
          ...generations,
          personalData,
          owedScreens: createOwedScreens({
            store: createOwedStore({ database, lease }),
            api: telegram.api,
            messages,
            telemetry,
          }),
          deadlineMs: config.updateDeadlineMs,
        }),
        telemetry,
        fieldsOf: chatId => pseudonymsOf({ userId: chatId, chatId }, pseudonyms),
      }),
      telemetry,
      instanceId,
      lease,
      onPick: reception.picked,
      isActive: () => state.isActive(),
      isShared: config.instance.mode === 'cluster',
    });

    lifecycle.onStop('workers', () => work.ended());
    lifecycle.onStop('source of updates', () => source.ended());
    lifecycle.onStop('lock', () => role.release());
    lifecycle.stopping.throwIfAborted();
    // From here on updates can be stored; Telegram may send some the moment it is told where to.
    isReady = true;
    await role.start();
    isStarting = false;
    await keyChecked;
    const address = publicUrl();
    telemetry.emit('BOOT_OK', {
      operation: config.bot.mode,
      duration_ms: Math.round(performance.now() - startedAt),
      bot_username: me.username,
      port: listening.port,
      webhook_address: address === undefined ? undefined : shownWebhookAddress(address),
      release: config.instance.release,
    });
  }

  return {
    telemetry,
    url,
    async start() {
      try {
        await run();
      } catch (error) {
        // What is asked to stop while it starts does not fail.
        if (!lifecycle.stopping.aborted)
          telemetry.emit('BOOT_FAIL', {
            error_type: errorType(error),
            error_message: telemetry.scrub(errorMessage(error)),
          });
        await lifecycle.stop(stopLimitMs).catch((cause: unknown) => telemetry.warn('stop', cause));
        throw error;
      }
    },
    async stop(operation) {
      stopOperation = operation;
      stoppingSince = performance.now();
      await lifecycle.stop(stopLimitMs);
    },
    endNow() {
      emitShutdown();
      logger.drainSync(lastLinesMs);
    },
  };
}

/** Comparing the books reads the whole ledger, and the rest is in no hurry either. */
function hourly(run: () => Promise<unknown>): Chore {
  return { everyMs: 60 * 60_000, run };
}

/** By a call that costs nothing. Never rejects, and never waits long: without the supplier all but generating works. */
async function checkSupplierKey(
  kie: Pick<KieClient, 'creditsLeft'>,
  telemetry: Pick<Telemetry, 'emit' | 'scrub'>,
): Promise<void> {
  const checked = kie.creditsLeft().then(
    () => undefined,
    (error: unknown) => {
      const isRefused = errorType(error) === 'KIE_REFUSED';
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'check KIE_API_KEY',
        error_type: errorType(error),
        error_message: telemetry.scrub(
          `${isRefused ? 'Look at KIE_API_KEY and its account: ' : ''}${errorMessage(error)}. Everything but generating works`,
        ),
      });
    },
  );
  await Promise.race([checked, sleep(supplierCheckMs, undefined, { ref: false })]);
}

/** A base URL with port 0 stands for the port that was free, as PORT=0 does. */
function withPort(baseUrl: string, port: number | undefined): string {
  const url = new URL(baseUrl);
  if (url.port === '0' && port !== undefined) url.port = String(port);
  return url.href.replace(/\/$/, '');
}
