// A form: the questions of one model and the answers so far. Pure data and pure functions; it is stored
// with the user's session, so it survives restarts. Every change raises the revision, and buttons that
// change a form carry the draft's id and revision, so that a tap can be told from a stale one.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Model, Parameter } from '../catalogue/schema.ts';

export const formSchema = z.object({
  draft: z.string(),
  revision: z.int(),
  /** Key of the model in the catalogue. */
  model: z.string(),
  /** Index of the parameter being asked; equal to their number when all are answered. */
  step: z.int(),
  values: z.record(z.string(), z.string()),
});
export type Form = z.infer<typeof formSchema>;

export type Answer =
  | { readonly ok: true; readonly form: Form }
  | {
      readonly ok: false;
      readonly problem: 'too_short' | 'too_long' | 'not_a_choice';
      readonly allowed: string;
    };

export function startForm(model: Model): Form {
  return { draft: randomBytes(6).toString('base64url'), revision: 1, model: model.key, step: 0, values: {} };
}

/** The parameter the form is waiting for, or undefined when it is complete. */
export function currentParameter(form: Form, model: Model): Parameter | undefined {
  return model.parameters[form.step];
}

/** Checks one answer against the parameter being asked; `allowed` names in words what would have fit. */
export function answerForm(form: Form, model: Model, value: string): Answer {
  const parameter = currentParameter(form, model);
  if (!parameter) return { ok: false, problem: 'not_a_choice', allowed: '' };
  if (parameter.type === 'choice') {
    if (!parameter.values.includes(value))
      return { ok: false, problem: 'not_a_choice', allowed: parameter.values.join(', ') };
    return { ok: true, form: withValue(form, parameter.name, value) };
  }
  // jsonb holds neither NUL nor lone surrogates, and no model wants them.
  const text = value.replaceAll('\0', '').toWellFormed().trim();
  const allowed = `${parameter.minLength}–${parameter.maxLength}`;
  // The supplier counts characters, not UTF-16 units.
  const length = [...text].length;
  if (length < parameter.minLength) return { ok: false, problem: 'too_short', allowed };
  if (length > parameter.maxLength) return { ok: false, problem: 'too_long', allowed };
  return { ok: true, form: withValue(form, parameter.name, text) };
}

function withValue(form: Form, name: string, value: string): Form {
  return {
    ...form,
    revision: form.revision + 1,
    step: form.step + 1,
    values: { ...form.values, [name]: value },
  };
}

/** One question back; undefined when the first one is being asked. Answers stay, so they can be seen. */
export function previousStep(form: Form): Form | undefined {
  return form.step === 0 ? undefined : { ...form, revision: form.revision + 1, step: form.step - 1 };
}
