// Repeats what may be repeated: calls that cost nothing. With jitter, a bounded number of times, within one
// deadline for all tries; each try gets its share of it, so that one that hangs does not use it up.
import {
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { AppError } from '../errors.ts';
import type { Operation } from './call-error.ts';

/** After the first try. */
const repetitions = 3;
const delaysMs = { first: 200, longest: 2_000 };

export interface Repetition {
  /** How long one try may take. */
  readonly tryMs: number;
  /**
   * Repeats `work` while it rejects with a retryable AppError, unless the host's circuit is open. `attempt`
   * counts from 0. Rejects with TIMEOUT when the deadline has passed, else with the last error.
   */
  run<T>(operation: Operation, work: (attempt: number, signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function createRepetition(deadlineMs: number): Repetition {
  const tryMs = Math.ceil(deadlineMs / repetitions);
  const policy = wrap(
    timeout(deadlineMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: true }),
    retry(
      handleWhen(error => error instanceof AppError && error.retryable && error.details.circuit !== 'open'),
      {
        maxAttempts: repetitions,
        backoff: new ExponentialBackoff({ initialDelay: delaysMs.first, maxDelay: delaysMs.longest }),
      },
    ),
  );
  return {
    tryMs,
    async run(operation, work) {
      try {
        return await policy.execute(({ attempt, signal }) =>
          work(attempt, AbortSignal.any([signal, AbortSignal.timeout(tryMs)])),
        );
      } catch (error) {
        if (!(error instanceof TaskCancelledError)) throw error;
        throw new AppError({
          code: 'TIMEOUT',
          message: `KIE.ai did not answer ${operation} within ${deadlineMs} ms`,
        });
      }
    },
  };
}
