// How the families of KIE.ai's API differ: where an order goes and how it is written, where a task is looked up and how
// its record is read. They share everything else: keys, envelopes, errors, repetition.
import type { z } from 'zod';
import type { TaskStatus } from './task-status.ts';

export interface OrderText {
  /** What KIE calls the model. */
  readonly vendorModel: string;
  /** The parameters by the names of the model's page. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Where KIE posts the end of the task. */
  readonly callbackUrl: string | undefined;
}

export interface Family {
  readonly orderPath: string;
  /** True where KIE takes no order without a callback address. */
  readonly needsCallback: boolean;
  readonly statusPath: string;
  /**
   * The JSON body of an order. The address goes into `callBackUrl`, with a capital B: KIE ignores any other
   * spelling silently. A value that is undefined is not sent.
   */
  orderBody(order: OrderText): Readonly<Record<string, unknown>>;
  /** The status in the `data` of a look-up; undefined when that is no record at all. */
  readStatus(data: unknown): TaskStatus | undefined;
}

/** The body of an order whose parameters stand beside the model. */
export const flatOrder: Family['orderBody'] = ({ vendorModel, input, callbackUrl }) => ({
  ...input,
  model: vendorModel,
  callBackUrl: callbackUrl,
});

/** `readStatus` of a family whose records have this shape. */
export function readerOf<Schema extends z.ZodType>(
  schema: Schema,
  toStatus: (record: z.output<Schema>) => TaskStatus,
): Family['readStatus'] {
  return data => {
    const parsed = schema.safeParse(data);
    return parsed.success ? toStatus(parsed.data) : undefined;
  };
}
