// Owns the order in which what was started is stopped: last acquired, first released. One release that fails or hangs
// never keeps the others from running. Also the two-stage reaction to signals: the first asks for a graceful stop, a
// second one (or the deadline) ends the process at once.
import { AppError, errorMessage, errorType } from './errors.ts';

export type Release = () => void | Promise<void>;

export interface ReleaseOptions {
  /** What it is given even where others have used up the time; 250 ms by default. */
  readonly leastMs?: number;
}

export interface Lifecycle {
  /** Registers a release. Must be called right after the resource was acquired. */
  onStop(name: string, release: Release, options?: ReleaseOptions): void;
  /** Aborted when the stop begins: what is still being started is given up. */
  readonly stopping: AbortSignal;
  /** What has failed to stop so far. */
  readonly failures: readonly Error[];
  /**
   * Runs all releases, last registered first, and waits for each, for all together at most `withinMs`; without it for
   * as long as they take. Concurrent and later calls get the same promise. Rejects with an AggregateError when releases
   * failed or did not end in time, after all of them have run.
   */
  stop(withinMs?: number): Promise<void>;
}

interface Part {
  readonly name: string;
  readonly release: Release;
  readonly leastMs: number;
}

const defaultLeastMs = 250;

export function createLifecycle(): Lifecycle {
  const parts: Part[] = [];
  const failures: Error[] = [];
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;

  async function runReleases(withinMs: number | undefined): Promise<void> {
    const endsAt = withinMs === undefined ? undefined : performance.now() + withinMs;
    for (let part = parts.pop(); part; part = parts.pop()) {
      try {
        const limitMs = endsAt === undefined ? undefined : Math.max(endsAt - performance.now(), part.leastMs);
        await released(part, limitMs);
      } catch (cause) {
        failures.push(new Error(`Stopping ${part.name} failed`, { cause }));
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} part(s) did not stop cleanly`);
  }

  return {
    stopping: stopping.signal,
    failures,
    onStop(name, release, { leastMs = defaultLeastMs } = {}) {
      parts.push({ name, release, leastMs });
    },
    stop(withinMs) {
      stopping.abort();
      stopped ??= runReleases(withinMs);
      return stopped;
    },
  };
}

/** Rejects with AppError TIMEOUT when it has not ended in time; it may still end by itself then. */
async function released({ release }: Part, limitMs: number | undefined): Promise<void> {
  if (limitMs === undefined) return release();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `It has not ended within ${Math.round(limitMs)} ms`;
    timer = setTimeout(() => reject(new AppError({ code: 'TIMEOUT', message })), limitMs);
  });
  try {
    await Promise.race([(async () => release())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What SHUTDOWN says of a stop that was not clean; empty when it was. */
export function failureFields(failures: readonly Error[]): {
  readonly error_type?: string;
  readonly error_message?: string;
} {
  const [first] = failures;
  if (!first) return {};
  return {
    error_type: errorType(first.cause),
    error_message: failures.map(({ message, cause }) => `${message}: ${errorMessage(cause)}`).join('; '),
  };
}

const signalNumbers = { SIGTERM: 15, SIGINT: 2 } as const;
type StopSignal = keyof typeof signalNumbers;
const repetitionMs = 500;
const stopSignals = ['SIGTERM', 'SIGINT'] as const satisfies readonly StopSignal[];

export interface SignalOptions {
  /** Rejects when not everything has stopped: the process then ends with exit code 1. */
  readonly stop: (signal: StopSignal) => Promise<void>;
  /** From the first signal to the end of the process at the latest. */
  readonly deadlineMs: number;
  readonly onDeadline: (signal: StopSignal) => void;
  /** Right before the process ends, which leaves it no further turn of code. */
  readonly beforeEnd?: () => void;
}

/**
 * SIGTERM and SIGINT start `stop`. When it resolves the signal is raised again with the default handler, so that the exit
 * status is that of the signal; it is 1 when `stop` rejects or the deadline comes first. A second signal, or the deadline,
 * skips the wait; one that comes right after the first is the same one, because Ctrl-C reaches both npm and what it runs,
 * and npm passes it on. SIGPIPE is left alone: a closed stdout must not stop the bot. Returns how to stop listening, for
 * what ends before its process does.
 */
export function stopOnSignals(options: SignalOptions): () => void {
  let stoppingSince: number | undefined;
  const end = (signal: StopSignal): void => {
    // The signal leaves no time for what this turn of code has still to write.
    queueMicrotask(() => {
      options.beforeEnd?.();
      for (const name of stopSignals) process.removeAllListeners(name);
      process.kill(process.pid, signal);
      // As process 1 of a container the kernel ignores the default action of a signal.
      process.exit(128 + signalNumbers[signal]);
    });
  };
  const endAsFailure = (): void =>
    queueMicrotask(() => {
      options.beforeEnd?.();
      process.exit(1);
    });
  const onSignal = (signal: StopSignal): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > repetitionMs) end(signal);
      return;
    }
    stoppingSince = performance.now();
    const deadline = setTimeout(() => {
      options.onDeadline(signal);
      endAsFailure();
    }, options.deadlineMs);
    deadline.unref();
    options.stop(signal).then(() => end(signal), endAsFailure);
  };
  for (const name of stopSignals) process.on(name, onSignal);
  return () => {
    for (const name of stopSignals) process.off(name, onSignal);
  };
}
