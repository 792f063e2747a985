// One stretch of being in charge, from a lease to its end. What an instance begins under a tenure ends with it, also
// what was still beginning then, and what it commits it commits under the lease of that tenure and no later one.
import type { Lease } from './lease.ts';
import type { DueProof, ProofBook } from './work-proof.ts';

export interface Tenure extends Pick<DueProof, 'expect' | 'prove' | 'advance'> {
  readonly lease: Lease;
  /** Aborted when the tenure ends. */
  readonly signal: AbortSignal;
  /**
   * Somebody else may do what was begun under it: it was taken or given away, or it was not renewed in time. A process
   * that was frozen knows by the clock, before it hears of it.
   */
  isLost(): boolean;
}

export interface OwnTenure extends Tenure {
  /** The lease was renewed by what was asked at this time, of performance.now(). */
  renewed(askedAt: number): void;
  /** Nothing new is begun under it. What is in flight may still be ended, unless it is lost too. */
  end(): void;
  lose(): void;
}

/** `staleMs`: others take the lease when it was not renewed for so long. */
export function createTenure(
  lease: Lease,
  proofs: Pick<ProofBook, 'open'>,
  staleMs = Number.POSITIVE_INFINITY,
): OwnTenure {
  const ending = new AbortController();
  const proof = proofs.open();
  let renewedAt = performance.now();
  let isGone = false;
  return {
    lease,
    signal: ending.signal,
    isLost: () => isGone || (!ending.signal.aborted && performance.now() - renewedAt > staleMs),
    renewed(askedAt) {
      renewedAt = askedAt;
    },
    lose() {
      isGone = true;
    },
    expect(parts) {
      if (!ending.signal.aborted) proof.expect(parts);
    },
    prove: part => proof.prove(part),
    advance: part => proof.advance(part),
    end() {
      if (ending.signal.aborted) return;
      proof.end();
      ending.abort();
    },
  };
}
