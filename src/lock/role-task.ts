// Work that is begun when a tenure begins and ends with it, whatever happens in between: also work that was still
// beginning when its tenure ended, and also while that of the last tenure is still coming to its end.
import type { Tenure } from './tenure.ts';

export interface Running {
  /** Begins nothing more from the moment it is called; resolves when all has ended. */
  stop(): Promise<void>;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

/** What is begun under each tenure. */
export interface TenureTask {
  /**
   * Its end is the tenure's, which comes at any time, also before this has resolved. Rejects when it could not begin;
   * nothing is running then. Does nothing under a tenure that has ended.
   */
  begin(tenure: Tenure): Promise<void>;
  /** Resolves when what was in flight under tenures that have ended has ended as well. */
  settled(): Promise<void>;
}

export interface RoleTask extends TenureTask {
  /** Resolves when nothing is left of those whose tenure has ended. */
  ended(): Promise<void>;
}

export function createRoleTask(
  start: (tenure: Tenure) => Promise<Running>,
  onStopFailed: (error: unknown) => void,
): RoleTask {
  const ending = new Map<Promise<void>, Promise<Running>>();

  function end(started: Promise<Running>): void {
    // Of one that could not begin, whoever began it knows.
    const stopped = started.then(
      running => running.stop().catch(onStopFailed),
      () => undefined,
    );
    ending.set(stopped, started);
    void stopped.then(() => ending.delete(stopped));
  }

  return {
    async begin(tenure) {
      const { signal } = tenure;
      if (signal.aborted) return;
      const started = start(tenure);
      signal.addEventListener('abort', () => end(started), { once: true });
      await started;
    },
    async settled() {
      await Promise.allSettled([...ending.values()].map(async started => (await started).settled()));
    },
    async ended() {
      await Promise.all(ending.keys());
    },
  };
}
