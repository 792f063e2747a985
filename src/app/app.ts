// The composition root: makes every part from the configuration, in an order in which each gets finished ones, and starts
// and stops them in order. What a part needs that comes later, it is given when it starts. Nothing else in the program
// creates its own collaborators.
import { randomBytes } from 'node:crypto';
import type { UserFromGetMe } from 'grammy/types';
import type { Handlers } from '../bot/context.ts';
import type { Config } from '../config/config.ts';
import { errorMessage, errorType } from '../errors.ts';
import { handlers } from '../handlers/index.ts';
import { createHealth } from '../health/instance-health.ts';
import { createLifecycle, type Lifecycle } from '../lifecycle.ts';
import { createStateHolder, type InstanceState } from '../lock/instance-state.ts';
import { createDebugLevel } from '../otel/debug-level.ts';
import type { OperationOf } from '../otel/events.ts';
import type { LogDestination } from '../otel/logger.ts';
import { createPseudonyms } from '../otel/pseudonyms.ts';
import { createRefusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { type PipelineTimings, productionTimings } from '../pipeline/timings.ts';
import { forgottenUpdate } from '../reception/forgotten-update.ts';
import { createDebugLevelStore } from '../storage/debug-level-store.ts';
import { createMessageStore } from '../storage/message-store.ts';
import { createPersonalDataStore } from '../storage/personal-data.ts';
import { createTelegramApi } from '../telegram/api.ts';
import { botIdentity } from '../telegram/identity.ts';
import { registerWebhook, shownWebhookAddress } from '../telegram/registration.ts';
import { createSourceWatch } from '../telegram/source-watch.ts';
import { createTexts } from '../ui/texts.ts';
import {
  createDatabases,
  type DatabaseAddresses,
  databaseAddressesOf,
  prepareDatabase,
} from './databases.ts';
import { createDispatch } from './dispatch.ts';
import { createGenerations } from './generations.ts';
import { createHttpService } from './http-service.ts';
import { createInstanceRole } from './instance-role.ts';
import { createJournaling, type Journaling } from './journaling.ts';
import { startMetering } from './metering.ts';
import { createObservability, type Observability } from './observability.ts';
import { createOwnAddress } from './own-address.ts';
import { createReceiving } from './receiving.ts';
import { createInstanceTasks } from './role-tasks.ts';
import { createShutdownReport, type ShutdownReport } from './shutdown.ts';
import { createStartWait } from './start-wait.ts';
import { checkSupplierKey } from './supplier-check.ts';

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
   * Ends within SHUTDOWN_GRACE_SECONDS, whatever hangs. `operation`: what asked for it; then SHUTDOWN reports how it
   * went. Rejects when a part failed or did not end in time, after all of them were asked to.
   */
  stop(operation?: OperationOf<'SHUTDOWN'>): Promise<void>;
  readonly telemetry: Telemetry;
  /**
   * For the very end, which may come before the stop has ended: emits SHUTDOWN where `stop` was called and it was not
   * emitted yet, and writes the lines that stdout has not taken, holding the thread for a moment.
   */
  endNow(): void;
  /** Where the HTTP server listens; only after `start`. */
  url(): string;
}

const logStopDeadlineMs = 3_000;
const lastLinesMs = 250;
/** Of the grace: for the journal, the exporters and the lines, whatever hangs before them. */
const lastWordsMs = 6_000;
const journalStopMs = 3_500;

export function buildApp(config: Config, overrides: AppOverrides = {}): App {
  const lifecycle = createLifecycle();
  const instanceId = overrides.instanceId ?? `trt-${randomBytes(4).toString('hex')}`;
  const state = createStateHolder();
  const addresses = databaseAddressesOf(config);
  const { logDestination } = overrides;
  const observability = createObservability({ config, instanceId, state, addresses, logDestination });
  const { telemetry, logger } = observability;
  const shutdown = createShutdownReport({ lifecycle, telemetry });
  const address = createOwnAddress(config);
  const { shutdownGraceMs } = config.instance;
  const stopLimitMs = shutdownGraceMs - Math.min(lastWordsMs, shutdownGraceMs / 3);

  async function run(): Promise<void> {
    const startedAt = performance.now();
    const journaling = keepLines({ config, instanceId, addresses, observability, shutdown, lifecycle });
    const refusals = createRefusals(telemetry);
    lifecycle.onStop('refusals', async () => refusals.stop());
    const databases = createDatabases({ config, instanceId, addresses, observability, lifecycle });
    const { database, archive } = databases;
    const debugLevel = createDebugLevel({
      store: createDebugLevelStore(database),
      logger,
      level: config.log.level,
      telemetry,
    });
    lifecycle.onStop('debug level', () => debugLevel.stop());
    const role = createInstanceRole({ config, instanceId, database, observability, lifecycle });
    state.follow(overrides.state ?? role.state);
    const telegram = createTelegramApi({ ...config.telegram, telemetry });
    lifecycle.onStop('Telegram client', () => telegram.stop());
    const watch = createSourceWatch({
      api: telegram.api,
      address: address.webhook,
      restore: () => registerWebhook(telegram.api, address.publicUrl(), config.bot),
      telemetry,
      ...(overrides.lookAtSourceEveryMs === undefined ? {} : { lookEveryMs: overrides.lookAtSourceEveryMs }),
    });
    const shared = {
      config,
      instanceId,
      database,
      lease: role.lease,
      state,
      telegram,
      observability,
      telemetry,
      lifecycle,
      messages: createMessageStore(database),
      texts: createTexts(),
      pseudonyms: createPseudonyms(config.hashSecret),
    };
    const generations = createGenerations({
      ...shared,
      timings: overrides.timings ?? productionTimings,
      publicUrl: address.publicUrl,
    });
    const receiving = createReceiving(shared);
    const health = createHealth({
      ...receiving,
      database,
      role,
      stallLimitMs: config.instance.lock.staleMs + config.updateDeadlineMs,
      botState: state.botState,
    });
    startMetering({ ...shared, health, kie: generations.kie });
    const http = createHttpService({ ...shared, health, receiving, generations, watch, refusals });
    // Before anything is waited for: whoever watches this process sees that it lives, and a port that is taken is
    // reported at once.
    address.listensOn(await http.listen());

    const wait = createStartWait({
      timeoutMs: config.instance.bootTimeoutMs,
      signal: lifecycle.stopping,
      telemetry,
    });
    const schemaVersion = await prepareDatabase({ config, addresses, wait, telemetry });
    await journaling?.start();
    await debugLevel.start();
    await generations.start();
    const me = await wait.until(botIdentity(telegram.api, config.telegram.apiRoot));
    const keyChecked = checkSupplierKey(generations.kie, telemetry);

    const people = createPersonalDataStore({ ...shared, archive, forgotten: forgottenUpdate });
    const parts = { ...shared, databases, generations, receiving, watch, people, journaling };
    const lanes = createDispatch({
      ...parts,
      role,
      debugLevel,
      me,
      handlers: overrides.handlers ?? handlers,
    });
    const { concurrency } = overrides;
    const tasks = createInstanceTasks({ ...parts, lanes, concurrency, address, refusals });
    lifecycle.onStop('lock', () => role.release());
    lifecycle.stopping.throwIfAborted();
    // From here on updates can be stored; Telegram may send some the moment it knows where to.
    http.open(schemaVersion);
    await role.start(tasks);
    tasks.started();
    await keyChecked;
    emitBootOk(me, startedAt);
  }

  function emitBootOk(me: UserFromGetMe, startedAt: number): void {
    const webhook = address.publicUrl();
    telemetry.emit('BOOT_OK', {
      operation: config.bot.mode,
      duration_ms: Math.round(performance.now() - startedAt),
      bot_username: me.username,
      port: address.port(),
      webhook_address: webhook === undefined ? undefined : shownWebhookAddress(webhook),
      release: config.instance.release,
    });
  }

  return {
    telemetry,
    url: address.url,
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
      shutdown.begin(operation);
      await lifecycle.stop(stopLimitMs);
    },
    endNow() {
      shutdown.emit();
      logger.drainSync(lastLinesMs);
    },
  };
}

interface LineKeeping {
  readonly config: Config;
  readonly instanceId: string;
  readonly addresses: DatabaseAddresses;
  readonly observability: Observability;
  readonly shutdown: ShutdownReport;
  readonly lifecycle: Lifecycle;
}

/** What keeps lines stops last, and the report of the stop comes right before: when all that works has stopped. */
function keepLines(options: LineKeeping): Journaling | undefined {
  const { shutdown, lifecycle } = options;
  const { logger, periodic } = options.observability;
  const journaling = createJournaling(options);
  lifecycle.onStop('logger', () => logger.stop(logStopDeadlineMs), { leastMs: logStopDeadlineMs });
  lifecycle.onStop('journal', () => journaling?.stop(), { leastMs: journalStopMs });
  lifecycle.onStop('last words', shutdown.emit);
  lifecycle.onStop('warnings', async () => periodic.stop());
  return journaling;
}
