// Work that begins and ends with a state which may change at any time: begun when an instance becomes ACTIVE, ended
// when it is PASSIVE again, and begun anew, also while the last one is still coming to its end.

export interface Running {
  /** Begins nothing more from the moment it is called; resolves when all has ended. */
  stop(): Promise<void>;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

export interface Duty {
  /** Rejects when it could not begin; nothing is running then. */
  begin(): Promise<void>;
  /** Ends at once what can be ended at once; the rest comes to its end by itself. */
  end(): void;
  /** Resolves when what was in flight when the duty ended has ended as well. */
  settled(): Promise<void>;
  /** Ends, and waits until nothing is left of it. */
  stop(): Promise<void>;
}

export function createDuty(start: () => Promise<Running>, onStopFailed: (error: unknown) => void): Duty {
  let current: Promise<Running> | undefined;
  const ending = new Map<Promise<void>, Promise<Running>>();

  function end(): void {
    const ended = current;
    current = undefined;
    if (!ended) return;
    // One that could not begin has told so to whoever began it.
    const stopped = ended.then(
      running => running.stop().catch(onStopFailed),
      () => undefined,
    );
    ending.set(stopped, ended);
    void stopped.then(() => ending.delete(stopped));
  }

  return {
    async begin() {
      current = start();
      await current;
    },
    end,
    async settled() {
      await Promise.allSettled([...ending.values()].map(async ended => (await ended).settled()));
    },
    async stop() {
      end();
      await Promise.all(ending.keys());
    },
  };
}
