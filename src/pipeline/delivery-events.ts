// The events of deliveries: one per file or notice. It holds the position of the file in the result, which shows where
// fewer files arrived than were ordered, and it says so where a file may have been sent twice.
import { errorType } from '../errors.ts';
import type { NextAttempt } from '../otel/fields.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Delivery } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { SendFailure, Sent } from './sender.ts';
import { fieldsOf } from './task-events.ts';

type Emitter = Pick<Telemetry, 'emit'>;
type EmittedDelivery = Pick<Delivery, 'kind' | 'position' | 'attempts' | 'isRepeated'>;

export function emitDelivered(
  telemetry: Emitter,
  task: TaskRow,
  row: EmittedDelivery,
  { messageId, detail }: Sent,
): void {
  telemetry.emit('RESULT_DELIVERED', {
    ...fieldsOf(task),
    operation: row.kind,
    ...placeOf(row),
    message_id: messageId,
    latency_ms: Math.round(task.ageMs()),
    reason_detail: detailOf(row, detail),
  });
}

/** What will be done about it, and in words for the operator. */
export interface Next {
  readonly attempt: NextAttempt;
  readonly text?: string;
}

export function emitFailed(
  telemetry: Emitter,
  task: TaskRow,
  row: EmittedDelivery,
  { reason, detail, code, error }: SendFailure,
  { attempt, text }: Next,
): void {
  telemetry.emit('DELIVERY_FAILED', {
    ...fieldsOf(task),
    operation: row.kind,
    ...placeOf(row),
    reason_code: reason,
    reason_detail: detailOf(row, detail, text),
    detail_code: code,
    next_attempt: attempt,
    error_type: errorType(error),
  });
}

/** Which file it was, and which attempt, unless it was the first. */
function placeOf(row: EmittedDelivery): { position?: number; attempt?: number } {
  return {
    ...(isFile(row) ? { position: row.position } : {}),
    ...(row.attempts > 1 ? { attempt: row.attempts } : {}),
  };
}

function detailOf(
  { isRepeated }: EmittedDelivery,
  ...parts: readonly (string | undefined)[]
): string | undefined {
  const said = [...parts, isRepeated ? 'sent again after a crash, may be double' : undefined];
  return said.filter(part => part !== undefined).join('; ') || undefined;
}

/** Files are what the user ordered; everything else is a notice. */
export const isFile = ({ kind }: Pick<Delivery, 'kind'>): boolean => kind === 'result' || kind === 'original';
