// Whose order a record is. KIE.ai repeats the order in `param`, with the callback address that we gave it, and that
// address ends with the secret of one task. So a record shows by itself that it is of another order of ours, also where
// the answer to the order named the wrong task. An address of another form proves nothing.
import { z } from 'zod';
import { jsonOrUndefined } from '../json.ts';

const recordSchema = z.object({ param: z.string() });
const orderSchema = z.object({ callBackUrl: z.string() });
const callbackPath = /\/callbacks\/kie\/([0-9a-f]{32})$/;

/** True only where the record holds a callback address of ours with another token than this task's. */
export function isOfAnotherOrder(data: unknown, callbackToken: string): boolean {
  const record = recordSchema.safeParse(data);
  if (!record.success) return false;
  const order = orderSchema.safeParse(jsonOrUndefined(record.data.param));
  const token = order.success ? callbackPath.exec(order.data.callBackUrl)?.[1] : undefined;
  return token !== undefined && token !== callbackToken;
}
