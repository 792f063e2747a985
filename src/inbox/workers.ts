// The workers on graphile-worker: LISTEN/NOTIFY wake-up, many jobs at a time, retries with back-off for jobs
// that could not even record their failure. Which update or task a job is about, and in which order, is
// decided by lanes and pipeline from their own rows; a job only says where to look.
import { Logger, run, type TaskList } from 'graphile-worker';
import { errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import { type JobName, type JobPayloads, recoverJobs, releaseDeadPicks } from '../storage/job-queue.ts';

export type JobHandlers = { readonly [J in JobName]: (payload: JobPayloads[J]) => Promise<void> };

export interface Workers {
  /** Stops picking, and waits for the jobs in flight. */
  stop(): Promise<void>;
}

export interface WorkersOptions {
  readonly database: Database;
  readonly jobs: JobHandlers;
  readonly telemetry: Telemetry;
  readonly concurrency: number;
}

/** A job holds a connection only while it queries, so far more jobs than connections may run. */
const pollIntervalMs = 1_000;
const deadPicksIntervalMs = 2_000;
/** Completions are deletes; gathered for a moment they go in one statement. */
const completeBatchDelayMs = 5;

export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { database, telemetry } = options;
  await releaseDeadPicks(database);
  await recoverJobs(database);
  const runner = await run({
    pgPool: database.pool,
    taskList: toTaskList(options.jobs),
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: options.concurrency,
        pollInterval: pollIntervalMs,
        completeJobBatchDelay: completeBatchDelayMs,
        failJobBatchDelay: completeBatchDelayMs,
        localQueue: { size: options.concurrency },
        logger: new Logger(() => (level, message, meta) => {
          if (level !== 'error' && level !== 'warning') return;
          // The pool is smaller than the concurrency on purpose, see above.
          if (message.includes('maxPoolSize')) return;
          const cause = meta && 'error' in meta ? meta.error : undefined;
          telemetry.emit('SYSTEM_WARNING', {
            operation: 'job queue',
            error_type: cause instanceof Error ? cause.name : level,
            error_message: telemetry.scrub(message),
          });
        }),
      },
    },
  });
  // A dead instance's connections may outlive it for a moment, and another one may die later.
  const looking = setInterval(() => {
    releaseDeadPicks(database).catch((error: unknown) => {
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'take back updates of dead instances',
        error_type: errorType(error),
        error_message: telemetry.scrub(error instanceof Error ? error.message : String(error)),
      });
    });
  }, deadPicksIntervalMs);
  return {
    async stop() {
      clearInterval(looking);
      await runner.stop();
    },
  };
}

function toTaskList(jobs: JobHandlers): TaskList {
  return {
    // SAFETY: payloads are written by job-queue.ts only, whose types these are.
    lane: payload => jobs.lane(payload as JobPayloads['lane']),
    task: payload => jobs.task(payload as JobPayloads['task']),
  };
}
