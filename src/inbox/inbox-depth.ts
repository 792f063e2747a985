// How full the inbox is, and whether one more update may be stored. The database knows: several instances share
// it. It is counted there a few times a second while updates arrive, and between two counts every update that was
// stored here is added. So the number is never too small for what went through here, and too large only for as
// long as a count is valid. It promises nothing about what other instances store between two counts.
import type { Telemetry } from '../otel/telemetry.ts';

export interface InboxDepth {
  /** How many more updates may be stored now. For one question per poll: waits for a new count when the last is old. */
  room(): Promise<number>;
  /** How many may be stored above the limit, for who must get at what is behind them: as many again as the limit. */
  reserve(): Promise<number>;
  /**
   * Runs `store` if there is room for one more update; false when there is none, and nothing was done. For every
   * update: waits for a count only where it would refuse on the ground of an old one.
   */
  admit(store: Store): Promise<boolean>;
  /** Runs `store` in any case, and counts: for updates that were asked for while there was room, and for payments. */
  add(store: Store): Promise<void>;
  /** Updates without an outcome, as far as it is known here. */
  unfinished(): number;
}

/** Stores an update. Resolves to whether it takes a place: what was known or is refused at once does not. */
type Store = () => Promise<boolean>;

export interface InboxDepthOptions {
  /** Counts the updates without an outcome in the database. */
  readonly count: () => Promise<number>;
  /** No update is admitted while so many have no outcome. */
  readonly max: number;
  readonly telemetry: Pick<Telemetry, 'warn'>;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** A count reads up to `max` entries of an index, some milliseconds; this keeps it below a few per cent of a core. */
const countValidMs = 250;

export function createInboxDepth(options: InboxDepthOptions): InboxDepth {
  const { count, max, telemetry, now = () => performance.now() } = options;
  let counted: { readonly depth: number; readonly ended: number } | undefined;
  let countedAt = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;
  // Of the updates that are stored here, since the start. What is under way when a count begins may or may not
  // be in it, so it is added to it.
  let begun = 0;
  let ended = 0;

  const unfinished = (): number => (counted ? counted.depth + begun - counted.ended : begun - ended);

  /** All while nothing was counted yet: when the database cannot be asked, the attempt to store shows what is wrong. */
  const left = (): number => (counted ? Math.max(0, max - unfinished()) : max);

  async function recount(): Promise<void> {
    const endedBefore = ended;
    try {
      counted = { depth: await count(), ended: endedBefore };
    } catch (error) {
      telemetry.warn('count the inbox', error, 'DB_ERROR');
    }
  }

  /** Has a count made when the last one is old. Resolves when it is there. */
  function look(): Promise<void> | undefined {
    if (!counting && now() - countedAt >= countValidMs) {
      countedAt = now();
      counting = recount().finally(() => {
        counting = undefined;
      });
    }
    return counting;
  }

  async function add(store: Store): Promise<void> {
    begun += 1;
    let takesPlace = true;
    try {
      takesPlace = await store();
    } finally {
      if (takesPlace) ended += 1;
      else begun -= 1;
    }
  }

  return {
    add,
    unfinished,
    async room() {
      await look();
      return left();
    },
    async reserve() {
      await look();
      return Math.max(0, 2 * max - unfinished());
    },
    async admit(store) {
      const looking = look();
      if (!counted || left() === 0) await looking;
      // Nothing may run between this question and `add`: many updates wait for the same count.
      if (left() === 0) return false;
      await add(store);
      return true;
    },
  };
}
