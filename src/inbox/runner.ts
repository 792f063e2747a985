// One runner of graphile-worker, with connections of its own: it is a part that may die, and is then thrown away whole.
// What the library promises about its end is not believed. When a batch of completions fails it shuts its pool down,
// but its promises need not settle (0.18: the count of pending batches goes wrong), so its events are listened to, and
// nothing waits for a dead one.
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, run, type TaskList, type WorkerPool } from 'graphile-worker';
import type { Telemetry } from '../otel/telemetry.ts';
import { releaseOnce } from '../postgres/release-once.ts';
import type { Database } from '../storage/database.ts';

export type Job = (payload: unknown) => Promise<void>;

export interface Runner {
  /** How long each job that runs now has been running, in milliseconds. */
  readonly agesMs: () => readonly number[];
  /** Takes no more jobs; resolves when those in flight have ended and it is gone. */
  stop(): Promise<void>;
  /** Gives it up: what is in flight ends by itself, and the queue is not notified of its end. */
  abandon(): void;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

export interface RunnerOptions {
  /** By this the jobs are locked that it has taken: nobody else has had it. */
  readonly id: string;
  /** Opens its connections. */
  readonly openQueue: () => Database;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly concurrency: number;
  /**
   * How long notices of new jobs are gathered into one look. The queue notifies all runners of every job: one whose jobs
   * are few among many looks that often, and no more. 0: each notice is a look of its own.
   */
  readonly gatherMs: number;
  readonly telemetry: Telemetry;
  /** It has ended without being asked. */
  readonly onEnded: (error: unknown) => void;
}

/** A job holds a connection only while it queries, so far more jobs than connections may run. */
const pollIntervalMs = 1_000;
/** Completions are deletes; gathered for a moment they go in one statement. */
const completeBatchDelayMs = 5;
/** A start is a few statements. */
const startLimitMs = 10_000;
/** After the last job has ended. */
const stopLimitMs = 5_000;
/** Each says that the runner takes no more jobs, whoever has asked for that. */
const endings = [
  'pool:fatalError',
  'pool:gracefulShutdown',
  'pool:forcefulShutdown',
  'pool:release',
  'stop',
] as const;

/** Resolves when it takes jobs. Rejects, with nothing left of it, when it could not start in time. */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const { telemetry } = options;
  const queue = options.openQueue();
  releaseOnce(queue.pool);
  const inFlight = new Map<Promise<void>, number>();
  let taken: WorkerPool | undefined;
  let phase: 'running' | 'stopping' | 'dead' = 'running';

  function work(job: Job): (payload: unknown) => Promise<void> {
    return async payload => {
      const working = job(payload);
      inFlight.set(working, performance.now());
      try {
        await working;
      } finally {
        inFlight.delete(working);
        // A dead one must not hear of it: it would throw where nobody catches.
        if (phase === 'dead') await new Promise(() => undefined);
      }
    };
  }

  const settled = async (): Promise<void> => void (await Promise.allSettled(inFlight.keys()));

  const events = new EventEmitter();
  events.on('pool:create', ({ workerPool }: { workerPool: WorkerPool }) => {
    taken = workerPool;
    // Before it asks for anything. The library's own name is random, and would not show whose a locked job is.
    workerPool.id = options.id;
    gatherNotices(workerPool);
  });

  function gatherNotices(workerPool: WorkerPool): void {
    const { gatherMs } = options;
    if (gatherMs === 0) return;
    const look = workerPool.nudge.bind(workerPool);
    let lookedAt = Number.NEGATIVE_INFINITY;
    let noticed = 0;
    workerPool.nudge = count => {
      noticed += count;
      if (noticed > count) return;
      setTimeout(
        () => {
          const jobs = noticed;
          noticed = 0;
          lookedAt = performance.now();
          if (phase === 'running') look(jobs);
        },
        Math.max(0, lookedAt + gatherMs - performance.now()),
      ).unref();
    };
  }

  for (const name of endings)
    events.on(name, (event?: { error?: unknown }) => {
      if (phase === 'running')
        options.onEnded(event?.error ?? new Error(`The runner of the queue has ended: ${name}`));
    });

  function discard(ending: Promise<unknown> | undefined): void {
    phase = 'dead';
    // The library keeps a list of all its pools, and a dead one may stay there for ever.
    void settled().then(() => taken?._workers.splice(0));
    const warn = (error: unknown): void => telemetry.warn('give up a runner of the queue', error);
    ending?.catch(warn);
    queue.stop().catch(warn);
  }

  const starting = run({
    pgPool: queue.pool,
    events,
    taskList: Object.fromEntries(
      Object.entries(options.jobs).map(([name, job]) => [name, work(job)]),
    ) satisfies TaskList,
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: options.concurrency,
        pollInterval: pollIntervalMs,
        completeJobBatchDelay: completeBatchDelayMs,
        failJobBatchDelay: completeBatchDelayMs,
        localQueue: { size: options.concurrency },
        logger: new Logger(() => (level, text, meta) => {
          if (phase === 'dead' || (level !== 'error' && level !== 'warning')) return;
          const message = withoutStack(text);
          // The pool is smaller than the concurrency on purpose, see above.
          if (message.includes('maxPoolSize')) return;
          const cause = meta && 'error' in meta ? meta.error : undefined;
          const type = cause instanceof Error ? cause.name : level;
          // Each failed job is emitted; that no job can be taken is warned of now and then.
          if (message.startsWith('Failed task'))
            telemetry.emit('SYSTEM_WARNING', {
              operation: 'job queue',
              error_type: type,
              error_message: telemetry.scrub(message),
            });
          else telemetry.warn('job queue', Object.assign(new Error(message), { name: type }));
        }),
      },
    },
  });
  const started = await Promise.race([starting, sleep(startLimitMs, undefined, { ref: false })]).catch(
    (error: unknown) => {
      discard(undefined);
      throw error;
    },
  );
  if (!started) {
    discard(starting.then(late => late.stop()));
    throw new Error(`A runner of the queue did not start within ${startLimitMs} ms`);
  }
  const runner = started;
  // Its end is heard of by its events; this only keeps a rejection from ending the process.
  runner.promise.catch((error: unknown) => {
    if (phase === 'running') options.onEnded(error);
  });

  async function end(): Promise<void> {
    const ending = runner.stop();
    const ended = ending.then(
      () => true,
      (error: unknown) => {
        telemetry.warn('stop a runner of the queue', error);
        return true;
      },
    );
    await settled();
    if (await Promise.race([ended, sleep(stopLimitMs, false)])) await queue.stop();
    else discard(undefined);
  }

  let stopping: Promise<void> | undefined;
  return {
    agesMs: () => [...inFlight.values()].map(since => performance.now() - since),
    stop() {
      if (phase === 'dead') return settled();
      phase = 'stopping';
      stopping ??= end();
      return stopping;
    },
    abandon() {
      if (phase !== 'dead') discard(runner.stop());
    },
    settled,
  };
}

/** Where in the library an error came from helps nobody who reads a line. */
function withoutStack(text: string): string {
  return text
    .split('\n')
    .filter(line => !/^\s+at /.test(line))
    .join(' ');
}
