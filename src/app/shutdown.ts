// The report of a stop: SHUTDOWN, emitted once for each stop that was asked for, with what did not end.
import { failureFields, type Lifecycle } from '../lifecycle.ts';
import type { OperationOf } from '../otel/events.ts';
import type { Telemetry } from '../otel/telemetry.ts';

export interface ShutdownReport {
  /** The stop begins. `operation`: what asked for it; without it nothing is reported. */
  begin(operation: OperationOf<'SHUTDOWN'> | undefined): void;
  /** Emits SHUTDOWN where a stop has begun and it was not emitted yet. */
  emit(): void;
}

export interface ShutdownReportOptions {
  readonly lifecycle: Pick<Lifecycle, 'failures'>;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub'>;
}

export function createShutdownReport({ lifecycle, telemetry }: ShutdownReportOptions): ShutdownReport {
  let begun: { readonly operation: OperationOf<'SHUTDOWN'>; readonly at: number } | undefined;
  let isEmitted = false;
  return {
    begin(operation) {
      begun = operation === undefined ? undefined : { operation, at: performance.now() };
    },
    emit() {
      if (begun === undefined || isEmitted) return;
      isEmitted = true;
      const { error_type: type, error_message: message } = failureFields(lifecycle.failures);
      telemetry.emit('SHUTDOWN', {
        operation: begun.operation,
        duration_ms: Math.round(performance.now() - begun.at),
        error_type: type,
        error_message: message === undefined ? undefined : telemetry.scrub(message),
      });
    },
  };
}
