// The AppError that a promise rejects with; anything else fails the test.
import { AppError } from '../../src/errors.ts';

export async function rejectionOf(work: Promise<unknown>): Promise<AppError> {
  const outcome: unknown = await work.then(
    value => new Error(`It resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof AppError) return outcome;
  throw outcome;
}
