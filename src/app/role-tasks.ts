// What an instance does only while it is in charge, put together: work the jobs (work.ts), and be where updates come from
// (source.ts). Both begin and end with the role (lock/role.ts), possibly several times in the life of a process.
import { createReconcile } from '../billing/reconcile.ts';
import type { Config } from '../config/config.ts';
import type { Lanes } from '../inbox/lanes.ts';
import type { Slots } from '../inbox/workers.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { CurrentLease } from '../lock/lease.ts';
import { proofLimitOf, type RoleTasks } from '../lock/role.ts';
import { createRoleTask } from '../lock/role-task.ts';
import type { Refusals } from '../otel/refusals.ts';
import { startPolling } from '../reception/polling.ts';
import { createHousekeepingStore } from '../storage/housekeeping-store.ts';
import { cleanQueue } from '../storage/job-queue.ts';
import type { PersonalDataStore } from '../storage/personal-data.ts';
import { createRetention } from '../storage/retention.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { registerCommands, registerWebhook } from '../telegram/registration.ts';
import type { SourceWatch } from '../telegram/source-watch.ts';
import type { Texts } from '../ui/texts.ts';
import type { Databases } from './databases.ts';
import type { Generations } from './generations.ts';
import { type Chore, startHousekeeping } from './housekeeping.ts';
import type { Journaling } from './journaling.ts';
import type { Observability } from './observability.ts';
import type { OwnAddress } from './own-address.ts';
import type { Receiving } from './receiving.ts';
import { openSource } from './source.ts';
import { beginWork } from './work.ts';

export interface InstanceTasks extends RoleTasks {
  /** The process has started: from now on what Telegram refuses does not keep it from starting. */
  started(): void;
}

export interface InstanceTasksOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly databases: Databases;
  readonly lease: CurrentLease;
  readonly lanes: Lanes;
  readonly generations: Pick<Generations, 'pipeline'>;
  /** How many chats may be worked at a time. */
  readonly concurrency: number | undefined;
  readonly telegram: TelegramApi;
  readonly address: Pick<OwnAddress, 'publicUrl'>;
  readonly watch: SourceWatch;
  readonly receiving: Pick<Receiving, 'intake' | 'depth'>;
  readonly refusals: Refusals;
  readonly journaling: Journaling | undefined;
  readonly people: Pick<PersonalDataStore, 'sweepJournal'>;
  readonly texts: Texts;
  readonly observability: Pick<Observability, 'telemetry' | 'periodic' | 'ofDatabase'>;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
}

/** Jobs wait for Telegram far more than they compute: with 100 ms per call this many make more than 1 000 updates/s. */
const defaultConcurrency = 200;
/** A task's step waits for the supplier and for hosts of files; its stages have limits of their own. */
const taskConcurrency = 100;

export function createInstanceTasks(options: InstanceTasksOptions): InstanceTasks {
  const { config, databases, lanes, telegram, watch, observability, lifecycle } = options;
  const { pipeline } = options.generations;
  const { telemetry, ofDatabase } = observability;
  const periodic = observability.periodic.telemetry;
  const { staleMs } = config.instance.lock;
  const slots: Slots = { lane: options.concurrency ?? defaultConcurrency, task: taskConcurrency };
  const housekeeping = {
    store: createHousekeepingStore(databases.database, options.lease),
    chores: choresOf(options),
    telemetry: ofDatabase,
  };
  let isStarting = true;
  const work = createRoleTask(
    tenure =>
      beginWork({
        mode: config.instance.mode,
        database: databases.database,
        openQueue: databases.openQueue,
        instanceId: options.instanceId,
        tenure,
        staleMs,
        proofLimitMs: proofLimitOf({ staleMs }),
        lanes,
        task: ({ task }) => pipeline.advance(task),
        tasksUnderWay: pipeline.underWay,
        slots,
        telemetry: ofDatabase,
      }),
    error => telemetry.warn('stop the workers', error),
  );
  lifecycle.onStop('workers', () => work.ended());
  const polling = {
    intake: options.receiving.intake,
    depth: options.receiving.depth,
    api: telegram.polling,
    refusals: options.refusals,
    telemetry: periodic,
    onConflict: watch.conflict,
  };
  const source = createRoleTask(
    tenure =>
      openSource({
        tenure,
        register: () => registerWebhook(telegram.api, options.address.publicUrl(), config.bot),
        registerCommands: () => registerCommands(telegram.api, options.texts, config.adminIds),
        isStarting,
        startPolling: config.bot.mode === 'polling' ? () => startPolling(polling) : undefined,
        startHousekeeping: () => startHousekeeping(housekeeping),
        watch,
        telemetry: periodic,
      }),
    error => telemetry.warn('stop taking updates', error),
  );
  lifecycle.onStop('source of updates', () => source.ended());
  return {
    work,
    source,
    started() {
      isStarting = false;
    },
  };
}

type ChoreParts = Pick<InstanceTasksOptions, 'databases' | 'journaling' | 'people' | 'observability'>;

function choresOf({ databases, journaling, people, observability }: ChoreParts): Record<string, Chore> {
  const { archive } = databases;
  const { telemetry } = observability;
  return {
    'compare the books': hourly(() => createReconcile({ database: archive, telemetry }).run()),
    'delete what is old': hourly(() => createRetention(archive).sweep()),
    'clean the queue': hourly(() => cleanQueue(archive)),
    ...(journaling
      ? {
          'keep the journal': hourly(() => journaling.keepPartitions()),
          'erase from the journal': hourly(() => people.sweepJournal()),
        }
      : {}),
  };
}

/** Comparing the books reads the whole ledger, and the rest is in no hurry either. */
function hourly(run: () => Promise<unknown>): Chore {
  return { everyMs: 60 * 60_000, run };
}
