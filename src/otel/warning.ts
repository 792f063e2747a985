// What a SYSTEM_WARNING says of an error, whoever emits it and however often.
import { errorMessage, errorType } from '../errors.ts';
import type { ReasonCode } from './reasons.ts';
import type { Scrubber } from './redaction.ts';
import type { WarningOperation } from './warning-operations.ts';

/** `operation`: what did not work. The error's message is scrubbed. */
export function warningFields(
  scrub: Scrubber,
  operation: WarningOperation,
  error: unknown,
  reason?: ReasonCode,
) {
  return {
    operation,
    error_type: errorType(error),
    error_message: scrub(errorMessage(error)),
    reason_code: reason,
  };
}
