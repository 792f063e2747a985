// What the families of KIE's API differ in: endpoints, the body of an order, the names of a task's stages, and
// the shape of records and callbacks. Everything else is the same for all and stands elsewhere.
import { z } from 'zod';
import type { Refusal } from './answers.ts';
import type { ApiFamily } from './models.ts';
import type { KieTask, Stage } from './tasks.ts';

export interface FamilyOrder {
  readonly model: string;
  /** What the model's facts are checked against. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The same without the model's name. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly callBackUrl: string | undefined;
}

export type CallbackBody = Readonly<Record<string, unknown>> & { readonly code: number };

export interface Family {
  readonly api: ApiFamily;
  readonly orderPath: string;
  readonly recordPath: string;
  readOrder(body: unknown): FamilyOrder | Refusal;
  stateOf(stage: Stage, fate: string | undefined): string;
  /** `data` of the record. */
  record(task: KieTask): Readonly<Record<string, unknown>>;
  /** What a callback says of the task as it is now. */
  callbackBody(task: KieTask): CallbackBody;
  /** Whether the family calls back at the stage that the task has reached. */
  callsBackNow(task: KieTask): boolean;
  /** How many of the task's files can be fetched by now. */
  readyFiles(task: KieTask): number;
}

/** The address of a result file. */
export type FileUrl = (name: string) => string;

const flatOrderSchema = z.looseObject({
  model: z.string(),
  // Other spellings are no parameters of any model and so are refused.
  callBackUrl: z.string().optional(),
});

/** Reads an order that has its values beside the model's name, as Veo and Suno take it. */
export function readFlatOrder(body: unknown): FamilyOrder | Refusal {
  const order = flatOrderSchema.safeParse(body);
  if (!order.success) return { code: 422, text: 'model: required' };
  const { callBackUrl, ...values } = order.data;
  const { model, ...input } = values;
  return { model, values, input, callBackUrl };
}

export function hasEnded(task: KieTask): boolean {
  return task.stage === 'done' || task.stage === 'failed';
}
