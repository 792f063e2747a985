// Owns the order in which what was started is stopped: last acquired, first released. One failing
// release never keeps the others from running. Also the two-stage reaction to signals: the first asks
// for a graceful stop, a second one (or the deadline) ends the process at once.

export type Release = () => void | Promise<void>;

export interface Lifecycle {
  /** Registers a release. Must be called right after the resource was acquired. */
  onStop(name: string, release: Release): void;
  /** Aborted when the stop begins: what is still being started is given up. */
  readonly stopping: AbortSignal;
  /**
   * Runs all releases, last registered first, and waits for each. Concurrent and later calls get the
   * same promise. Rejects with an AggregateError when releases failed, after all of them have run.
   */
  stop(): Promise<void>;
}

export function createLifecycle(): Lifecycle {
  const releases: { name: string; release: Release }[] = [];
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;

  async function runReleases(): Promise<void> {
    const failures: Error[] = [];
    for (let entry = releases.pop(); entry; entry = releases.pop()) {
      try {
        await entry.release();
      } catch (cause) {
        failures.push(new Error(`Stopping ${entry.name} failed`, { cause }));
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} part(s) did not stop cleanly`);
  }

  return {
    stopping: stopping.signal,
    onStop(name, release) {
      releases.push({ name, release });
    },
    stop() {
      stopping.abort();
      stopped ??= runReleases();
      return stopped;
    },
  };
}

const signalNumbers = { SIGTERM: 15, SIGINT: 2 } as const;
type StopSignal = keyof typeof signalNumbers;
const repetitionMs = 500;
const stopSignals = ['SIGTERM', 'SIGINT'] as const satisfies readonly StopSignal[];

export interface SignalOptions {
  readonly stop: (signal: StopSignal) => Promise<void>;
  /** From the first signal to the end of the process at the latest. */
  readonly deadlineMs: number;
  readonly onDeadline: (signal: StopSignal) => void;
  /** Right before the process ends, which leaves it no further turn of code. */
  readonly beforeEnd?: () => void;
}

/**
 * SIGTERM and SIGINT start `stop`; when it resolves the signal is raised again with the default
 * handler, so that the exit status tells the truth. A second signal, or the deadline, skips the wait; one that comes
 * right after the first is the same one, because Ctrl-C reaches both npm and what it runs, and npm passes it on.
 * SIGPIPE is left alone: a closed stdout must not stop the bot. Returns the way to end this, for what ends before its
 * process does.
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
  const onSignal = (signal: StopSignal): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > repetitionMs) end(signal);
      return;
    }
    stoppingSince = performance.now();
    const deadline = setTimeout(() => {
      options.onDeadline(signal);
      end(signal);
    }, options.deadlineMs);
    deadline.unref();
    options.stop(signal).then(
      () => end(signal),
      () => end(signal),
    );
  };
  for (const name of stopSignals) process.on(name, onSignal);
  return () => {
    for (const name of stopSignals) process.off(name, onSignal);
  };
}
