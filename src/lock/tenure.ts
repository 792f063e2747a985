// One stretch of being in charge, from a lease to its end. What an instance begins under a tenure ends with it, also
// what was still beginning then, and what it commits it commits under the lease of that tenure and no later one.
import type { Lease } from './lease.ts';
import type { DueProof, ProofBook } from './work-proof.ts';

export interface Tenure extends Pick<DueProof, 'expect' | 'prove'> {
  readonly lease: Lease;
  /** Aborted when the tenure ends. */
  readonly signal: AbortSignal;
}

export interface OwnTenure extends Tenure {
  end(): void;
}

export function createTenure(lease: Lease, proofs: Pick<ProofBook, 'open'>): OwnTenure {
  const ending = new AbortController();
  const proof = proofs.open();
  return {
    lease,
    signal: ending.signal,
    expect(parts) {
      if (!ending.signal.aborted) proof.expect(parts);
    },
    prove: part => proof.prove(part),
    end() {
      if (ending.signal.aborted) return;
      proof.end();
      ending.abort();
    },
  };
}
