// What a fault is: an entry of the list in faults.ts, and one occasion of it in a plan.
import type { Ground } from './ground.ts';
import type { Random } from './random.ts';
import type { Slot } from './slot.ts';

export interface FaultKind {
  readonly weight: number;
  /** How long it lasts, in seconds: at least and at most. */
  readonly seconds: readonly [number, number];
  /**
   * Whom it keeps from working: `instance` the one it strikes, `everything` all of them. `telegram`: nobody can know
   * users anything for sure. `supplier`: generations only.
   */
  readonly touches: 'instance' | 'everything' | 'telegram' | 'supplier';
  /** The way around it is the bot's to find, such as a new connection: while it lasts nothing is excused. */
  readonly leavesAWay?: true;
  /** For how long it may be felt after its end, where that is longer than usual for what it touches. */
  readonly recoverySeconds?: number;
  /** The only way of running the instances in which there is anything to strike. */
  readonly onlyIn?: 'single' | 'cluster' | 'webhook' | 'polling';
  begin(ground: Ground, occasion: Occasion): Promise<Strike> | Strike;
}

/** A fault that has begun. */
export interface Strike {
  /**
   * How many processes, sessions, connections, calls it has hit so far. A fault that hits nothing is none: it lasts longer
   * than was planned, until it does or its patience is over.
   */
  hits(): number;
  /** How often what it does again and again has failed. */
  failures?(): number;
  end(): Promise<void> | void;
}

export interface Occasion {
  /** The instance that it strikes, if it strikes one. */
  readonly slot: Slot;
  readonly random: Random;
  /** Differs between occasions. */
  readonly number: number;
}

/** For tables of faults. */
export function defineFaults<const F extends Record<string, FaultKind>>(faults: F): F {
  return faults;
}

/**
 * Does it again and again, from now on, until it is ended; one that fails is counted, and tried again at its next turn.
 * `action` resolves with how much it has hit.
 */
export function repeatedly(everyMs: number, action: () => Promise<number>): Strike {
  const ending = new AbortController();
  let hits = 0;
  let failures = 0;
  const running = (async () => {
    while (!ending.signal.aborted) {
      try {
        hits += await action();
      } catch {
        // The database may be away at this moment.
        failures += 1;
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, everyMs);
        ending.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  })();
  return {
    hits: () => hits,
    failures: () => failures,
    async end() {
      ending.abort();
      await running;
    },
  };
}

/** Of what only counts up: how much it has risen since. */
export function risingFrom(count: () => number): () => number {
  const before = count();
  return () => count() - before;
}
