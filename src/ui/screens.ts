// The screens of the bot: what each needs to be drawn, what is remembered of it beside its message, and
// how it treats the form. Names are stored and logged: they never change their meaning.
import { z } from 'zod';
import type { Category } from '../catalogue/schema.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Form } from '../pipeline/form.ts';

/** What a handler must hand over to show a screen. */
export interface ScreenData {
  MAIN_MENU: Record<never, never>;
  CATEGORY_PICK: { readonly category: Category };
  MODEL_PICK: { readonly model: string };
  PARAMS_FORM: { readonly form: Form };
  CONFIRM: { readonly form: Form };
  PROCESSING: { readonly task: string; readonly model: string };
  RESULT: { readonly task: string; readonly model: string };
  RESULT_ERROR: {
    readonly task: string;
    readonly model: string;
    readonly reason: ReasonCode;
    readonly cid: string;
  };
  HELP: Record<never, never>;
  UPDATING: Record<never, never>;
}

export type ScreenId = keyof ScreenData;

interface ScreenDefinition {
  /** Showing the screen opens or moves the form it is given, keeps the user's form, or closes it. */
  readonly form: 'holds' | 'keeps' | 'closes';
}

export const screens = {
  MAIN_MENU: { form: 'closes' },
  CATEGORY_PICK: { form: 'closes' },
  MODEL_PICK: { form: 'closes' },
  PARAMS_FORM: { form: 'holds' },
  CONFIRM: { form: 'holds' },
  PROCESSING: { form: 'closes' },
  RESULT: { form: 'keeps' },
  RESULT_ERROR: { form: 'keeps' },
  HELP: { form: 'keeps' },
  UPDATING: { form: 'keeps' },
} as const satisfies Record<ScreenId, ScreenDefinition>;

export const screenIds = Object.keys(screens) as ScreenId[];

/** What is stored beside a message about the screen it shows: ids only, never what a user wrote. */
export const screenRecordSchema = z.object({
  category: z.string().optional(),
  model: z.string().optional(),
  draft: z.string().optional(),
  revision: z.int().optional(),
  task: z.string().optional(),
});
export type ScreenRecord = z.infer<typeof screenRecordSchema>;

export function recordOf<S extends ScreenId>(data: ScreenData[S]): ScreenRecord {
  // SAFETY: every member of ScreenData is a subset of this union of optional fields.
  const { form, category, model, task } = data as {
    form?: Form;
    category?: string;
    model?: string;
    task?: string;
  };
  if (form) return { model: form.model, draft: form.draft, revision: form.revision };
  return {
    ...(category === undefined ? {} : { category }),
    ...(model === undefined ? {} : { model }),
    ...(task === undefined ? {} : { task }),
  };
}
