// What shows that an instance in charge really works. It does not believe any part that says so of itself: whatever
// works has to prove it again and again, by work that came back, and whoever renews a lease asks here first.
import { setTimeout as sleep } from 'node:timers/promises';

/** As probes and the holder of a lease see it. */
export interface WorkProof {
  /** Since the last proof of the part that has been silent the longest; undefined while none is due. */
  ageMs(): number | undefined;
  /** The part whose proof is overdue; undefined when there is none. */
  missing(): string | undefined;
  /** True from a tenure that was given up without proof until every part has proved itself in a later one. */
  hasFailed(): boolean;
}

/** What one tenure has to show. */
export interface DueProof {
  /** From now on these parts have to prove themselves, and no others; now counts as their first proof. */
  expect(parts: readonly string[]): void;
  /** Work of this part came back. */
  prove(part: string): void;
  /** Nothing has to be proved any more. */
  end(): void;
}

export interface ProofBook extends WorkProof {
  open(): DueProof;
  /**
   * Resolves to the part whose proof is overdue, for who has to give its tenure up then; never when `signal` is aborted
   * before.
   */
  overdue(signal: AbortSignal): Promise<string>;
}

const lookEveryMs = 250;
/** A process that was frozen or busy has not read the proofs that came meanwhile. */
const lateMs = 1_000;
const graceMs = 2_000;

/** A proof counts for `limitMs`. */
export function createProofBook(limitMs: number): ProofBook {
  const due = new Map<DueProof, Map<string, number>>();
  let unproven: ReadonlySet<string> | undefined;

  function longestSilent(): { readonly part: string; readonly ageMs: number } | undefined {
    const all = [...due.values()].flatMap(provenAt => [...provenAt]);
    const [oldest] = all.sort(([, one], [, other]) => one - other);
    return oldest && { part: oldest[0], ageMs: performance.now() - oldest[1] };
  }

  function missing(): string | undefined {
    const silent = longestSilent();
    return silent && silent.ageMs > limitMs ? silent.part : undefined;
  }

  return {
    open() {
      const own: DueProof = {
        expect(parts) {
          const now = performance.now();
          due.set(own, new Map(parts.map(part => [part, now])));
          // That a tenure has begun takes nothing back of what the last one has shown.
          if (unproven) unproven = new Set(parts);
        },
        prove(part) {
          const provenAt = due.get(own);
          if (!provenAt?.has(part)) return;
          provenAt.set(part, performance.now());
          if (!unproven) return;
          const rest = new Set([...unproven].filter(other => other !== part));
          unproven = rest.size > 0 ? rest : undefined;
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
        const part = missing();
        if (part === undefined || now < graceUntil) continue;
        unproven = new Set([...due.values()].flatMap(provenAt => [...provenAt.keys()]));
        return part;
      }
    },
    ageMs: () => longestSilent()?.ageMs,
    missing,
    hasFailed: () => unproven !== undefined,
  };
}
