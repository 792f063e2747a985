// What shows that an instance in charge really works. It does not believe any part that says so of itself: whatever
// works has to prove it again and again, by work that came back, and whoever renews a lease asks here first.
import { setTimeout as sleep } from 'node:timers/promises';

/** What has to prove itself. */
export type ProvedPart = 'beginning' | 'lane' | 'task';

/** As probes and the holder of a lease see it. */
export interface WorkProof {
  /** Since the last proof of the part that has been silent the longest; undefined while none is due. */
  ageMs(): number | undefined;
  /** The part whose proof is overdue; undefined when there is none. A beginning that goes on has proved nothing yet. */
  missing(): ProvedPart | undefined;
  /**
   * True from a tenure that was given up without proof until every part has proved itself in a later one, or another
   * instance was seen to work.
   */
  hasFailed(): boolean;
}

/** What one tenure has to show. */
export interface DueProof {
  /** From now on these parts have to prove themselves, and no others; now counts as their first proof. */
  expect(parts: readonly ProvedPart[]): void;
  /** Work of this part came back. */
  prove(part: ProvedPart): void;
  /** A step of this part is done, and the next one has as long again. That is no proof that it works. */
  advance(part: ProvedPart): void;
  /** Nothing has to be proved any more. */
  end(): void;
}

export interface ProofBook extends WorkProof {
  open(): DueProof;
  /**
   * Resolves to the part that has neither proved itself nor gone on in time, for who has to give its tenure up then;
   * never when `signal` is aborted before.
   */
  overdue(signal: AbortSignal): Promise<ProvedPart>;
  /** The part of which `overdue` speaks, now. */
  stalled(): ProvedPart | undefined;
  /** How many tenures in a row were given up without proof: until one in which every part proves itself. */
  failures(): number;
  /** Another instance works: that this one could not says nothing any more. */
  forgive(): void;
}

const lookEveryMs = 250;
/** A process that was frozen or busy has not read the proofs that came meanwhile. */
const lateMs = 1_000;
const graceMs = 2_000;

/** A proof counts for `limitMs`. */
export function createProofBook(limitMs: number): ProofBook {
  /** By tenure and part. */
  const due = new Map<DueProof, Map<ProvedPart, { provenAt: number; wentOnAt: number }>>();
  /** Parts of the newest tenure, or of the one given up, that have not proved themselves since. */
  let awaited = new Set<ProvedPart>();
  let hasFailed = false;
  let failures = 0;

  function longest(
    since: 'provenAt' | 'wentOnAt',
  ): { readonly part: ProvedPart; readonly ageMs: number } | undefined {
    const all = [...due.values()].flatMap(parts => [...parts]);
    const [oldest] = all.sort(([, one], [, other]) => one[since] - other[since]);
    return oldest && { part: oldest[0], ageMs: performance.now() - oldest[1][since] };
  }

  function overLimit(since: 'provenAt' | 'wentOnAt'): ProvedPart | undefined {
    const silent = longest(since);
    return silent && silent.ageMs > limitMs ? silent.part : undefined;
  }

  return {
    open() {
      const own: DueProof = {
        expect(parts) {
          const now = performance.now();
          due.set(own, new Map(parts.map(part => [part, { provenAt: now, wentOnAt: now }])));
          // That a tenure has begun takes nothing back of what the last one has shown.
          awaited = new Set(parts);
        },
        prove(part) {
          const parts = due.get(own);
          if (!parts?.has(part)) return;
          const now = performance.now();
          parts.set(part, { provenAt: now, wentOnAt: now });
          awaited.delete(part);
          if (awaited.size > 0) return;
          hasFailed = false;
          failures = 0;
        },
        advance(part) {
          const shown = due.get(own)?.get(part);
          if (shown) shown.wentOnAt = performance.now();
        },
        end: () => void due.delete(own),
      };
      return own;
    },
    async overdue(signal) {
      let lookedAt = performance.now();
      let graceUntil = 0;
      for (;;) {
        await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return new Promise(() => undefined);
        const now = performance.now();
        if (now - lookedAt > lookEveryMs + lateMs) graceUntil = now + graceMs;
        lookedAt = now;
        const part = overLimit('wentOnAt');
        if (part === undefined || now < graceUntil) continue;
        awaited = new Set([...due.values()].flatMap(parts => [...parts.keys()]));
        hasFailed = true;
        failures += 1;
        return part;
      }
    },
    ageMs: () => longest('provenAt')?.ageMs,
    missing: () => overLimit('provenAt'),
    stalled: () => overLimit('wentOnAt'),
    hasFailed: () => hasFailed,
    failures: () => failures,
    forgive() {
      hasFailed = false;
    },
  };
}
