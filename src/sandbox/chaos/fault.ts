// What a fault is: an entry of the list in faults.ts, and one occasion of it in a plan.

import type { Ground } from './ground.ts';
import type { Random } from './random.ts';
import type { Slot } from './slot.ts';

export interface FaultKind {
  readonly weight: number;
  /** How long it lasts, in seconds: at least and at most. */
  readonly seconds: readonly [number, number];
  /**
   * Whom it keeps from working: `instance` the one it strikes, `everything` all of them. `telegram`: nobody can tell
   * users anything for sure. `supplier`: generations only.
   */
  readonly touches: 'instance' | 'everything' | 'telegram' | 'supplier';
  /** The way around it is the bot's to find, such as a new connection: while it lasts nothing is excused. */
  readonly leavesAWay?: true;
  /** Begins it and resolves with what ends it. */
  begin(ground: Ground, occasion: Occasion): Promise<End> | End;
}

export type End = () => Promise<void> | void;

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

/** Does it again and again, from now on, until it is ended; one that fails is tried again at its next turn. */
export function repeatedly(everyMs: number, action: () => Promise<unknown>): End {
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) {
      // The database may be away at this moment.
      await action().catch(() => undefined);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, everyMs);
        ending.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  })();
  return async () => {
    ending.abort();
    await running;
  };
}
