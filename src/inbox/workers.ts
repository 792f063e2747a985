// The workers on graphile-worker: LISTEN/NOTIFY wake-up, many jobs at a time, retries with back-off for jobs
// that could not even record their failure. Which update or task a job is about, and in which order, is
// decided by lanes and pipeline from their own rows; a job only says where to look.
import { Logger, run, type TaskList } from 'graphile-worker';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import type { JobName, JobPayloads } from '../storage/job-queue.ts';

export type JobHandlers = { readonly [J in JobName]: (payload: JobPayloads[J]) => Promise<void> };

export interface Workers {
  /** Stops taking jobs at once; resolves when those in flight have ended. */
  stop(): Promise<void>;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

export interface WorkersOptions {
  readonly database: Database;
  readonly jobs: JobHandlers;
  readonly telemetry: Telemetry;
  readonly concurrency: number;
  /** The workers have ended without being asked: for example a newer release has changed the queue's own tables. */
  readonly onEnded: (error: unknown) => void;
}

/** A job holds a connection only while it queries, so far more jobs than connections may run. */
const pollIntervalMs = 1_000;
/** Completions are deletes; gathered for a moment they go in one statement. */
const completeBatchDelayMs = 5;

export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { telemetry } = options;
  const inFlight = new Set<Promise<void>>();
  const track = (work: Promise<void>): Promise<void> => {
    inFlight.add(work);
    const forget = (): void => void inFlight.delete(work);
    work.then(forget, forget);
    return work;
  };
  const runner = await run({
    pgPool: options.database.pool,
    taskList: toTaskList(options.jobs, track),
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
  let stopping: Promise<void> | undefined;
  const ended = (error: unknown): void => {
    if (!stopping) options.onEnded(error);
  };
  runner.promise.then(() => ended(new Error('The workers have ended')), ended);
  return {
    stop() {
      stopping ??= runner.stop();
      return stopping;
    },
    async settled() {
      await Promise.allSettled(inFlight);
    },
  };
}

function toTaskList(jobs: JobHandlers, track: (work: Promise<void>) => Promise<void>): TaskList {
  return {
    // SAFETY: payloads are written by job-queue.ts only, whose types these are.
    lane: payload => track(jobs.lane(payload as JobPayloads['lane'])),
    follow_up: payload => track(jobs.follow_up(payload as JobPayloads['follow_up'])),
    task: payload => track(jobs.task(payload as JobPayloads['task'])),
  };
}
