// What deliveries tell: one event per file or notice, with the place of the file in the result, so that fewer files than
// were ordered are seen, and with a word where a file may have been sent twice.
import { errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { DeliveryRow } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-store.ts';
import type { Delivered, Undelivered } from './deliverer.ts';
import { fieldsOf } from './task-events.ts';

type Emitter = Pick<Telemetry, 'emit'>;
type ToldDelivery = Pick<DeliveryRow, 'kind' | 'position' | 'attempts' | 'isRepeated'>;

export function tellDelivered(
  telemetry: Emitter,
  task: TaskRow,
  row: ToldDelivery,
  { messageId, detail }: Delivered,
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

/** `next`: what will be done about it; nothing when it is given up. */
export function tellFailed(
  telemetry: Emitter,
  task: TaskRow,
  row: ToldDelivery,
  { reason, detail, error }: Undelivered,
  next?: string,
): void {
  telemetry.emit('DELIVERY_FAILED', {
    ...fieldsOf(task),
    operation: row.kind,
    ...placeOf(row),
    reason_code: reason,
    reason_detail: detailOf(row, detail, next),
    error_type: errorType(error),
  });
}

/** Which file it was, and at which attempt where it was not the first. */
function placeOf(row: ToldDelivery): { position?: number; attempt?: number } {
  return {
    ...(isFile(row) ? { position: row.position } : {}),
    ...(row.attempts > 1 ? { attempt: row.attempts } : {}),
  };
}

function detailOf(
  { isRepeated }: ToldDelivery,
  ...parts: readonly (string | undefined)[]
): string | undefined {
  const said = [...parts, isRepeated ? 'sent again after a crash, may be double' : undefined];
  return said.filter(part => part !== undefined).join('; ') || undefined;
}

/** Files are what a user has ordered; the rest are notices. */
export const isFile = ({ kind }: Pick<DeliveryRow, 'kind'>): boolean =>
  kind === 'result' || kind === 'original';
