// A form: the answers for one model so far and how far its user has come. Pure data and pure functions; it is
// stored with the user's session, so it survives restarts, and even a new version of the model's entry: what no
// longer fits is asked again.
// The way through: `questions`, one by one, for everything that must be answered, in the order of the entry; then
// `options`, a list of every parameter, if there is anything to choose or a rule between parameters; then `confirm`.
// Every change raises the revision and drops the quote, and buttons that change a form carry the draft's id and
// revision, so that a stale tap is recognised. Answering is in answer.ts.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { quoteSchema } from '../billing/pricing.ts';
import type { Model, Parameter } from '../catalogue/schema.ts';
import { type FormValues, formValuesSchema } from '../catalogue/values.ts';
import { askedParameters, hasOptions, mandatoryParameters, openParameters, violation } from './filled.ts';
import type { Problem } from './problem.ts';

export const formSchema = z.object({
  draft: z.string(),
  revision: z.int(),
  /** Key of the model in the catalogue. */
  model: z.string(),
  values: formValuesSchema,
  stage: z.enum(['questions', 'options', 'confirm']),
  /** A parameter asked out of turn: one to which the user went back, one being edited, or a list being filled. */
  asking: z.string().optional(),
  /** Telegram's id of the album that came last, and the parameter that took it. */
  groupId: z.string().optional(),
  groupParameter: z.string().optional(),
  /** What the form costs as it stands, frozen when the confirmation was shown. */
  quote: quoteSchema.optional(),
});
export type Form = Readonly<z.infer<typeof formSchema>>;

/** What the user is asked for now; `confirm` only when everything is answered and no rule is broken. */
export type Step =
  | {
      readonly kind: 'question';
      readonly parameter: Parameter;
      /** 1-based: among the questions, or among all parameters when one of them is edited. */
      readonly number: number;
      readonly of: number;
      /** The user came from the options or the confirmation, and returns there. */
      readonly editing: boolean;
    }
  | { readonly kind: 'options' }
  | { readonly kind: 'confirm' };

export type Proceeded =
  | { readonly ok: true; readonly form: Form }
  | {
      readonly ok: false;
      readonly problem: Extract<Problem, 'missing' | 'one_of' | 'not_together'>;
      /** Names of the parameters that it is about. */
      readonly parameters: readonly string[];
      readonly allowed: string;
    };

export function startForm(model: Model): Form {
  const draft = randomBytes(6).toString('base64url');
  return settled({ draft, revision: 1, model: model.key, values: {}, stage: 'questions' }, model);
}

/** A form filled in as an earlier order was; what no longer fits is asked again. */
export function refillForm(model: Model, values: FormValues): Form {
  return settled({ ...startForm(model), values: { ...values }, stage: 'confirm' }, model);
}

export function currentStep(form: Form, model: Model): Step {
  const editing = form.stage !== 'questions';
  const candidates = editing ? askedParameters(form, model) : mandatoryParameters(form, model);
  const asked = candidates.findIndex(({ name }) => name === form.asking);
  if (candidates[asked]) return question(candidates, candidates[asked], editing);
  const [open] = openParameters(form, model);
  if (open) return question(mandatoryParameters(form, model), open, false);
  return { kind: settled(without(form, 'asking'), model).stage === 'confirm' ? 'confirm' : 'options' };
}

/** Asks one parameter again, by its index among the asked ones; undefined where nothing can be edited now. */
export function editParameter(form: Form, model: Model, index: number): Form | undefined {
  const step = currentStep(form, model);
  const parameter = askedParameters(form, model)[index];
  if (step.kind === 'question' || !parameter) return undefined;
  return changed({ ...form, stage: step.kind, asking: parameter.name });
}

/** From the confirmation to the list of parameters; elsewhere there is nothing to open and the form stays. */
export function openOptions(form: Form, model: Model): Form {
  if (currentStep(form, model).kind !== 'confirm') return form;
  return changed({ ...without(form, 'asking'), stage: 'options' });
}

/** On to the confirmation, if everything is answered and the rules between parameters hold. */
export function proceed(form: Form, model: Model): Proceeded {
  const open = openParameters(form, model).map(({ name }) => name);
  const broken = open.length > 0 ? { problem: 'missing' as const, parameters: open } : violation(form, model);
  if (broken) return { ok: false, ...broken, allowed: broken.parameters.join(', ') };
  return { ok: true, form: changed({ ...without(form, 'asking'), stage: 'confirm' }) };
}

/** One step back; answers stay. Undefined where that leaves the form. */
export function goBack(form: Form, model: Model): Form | undefined {
  const step = currentStep(form, model);
  const rest = without(form, 'asking');
  if (step.kind === 'question' && step.editing) return changed(rest);
  if (step.kind === 'confirm' && hasOptions(form, model)) return changed({ ...rest, stage: 'options' });
  const questions = mandatoryParameters(form, model);
  const before = questions[(step.kind === 'question' ? step.number - 1 : questions.length) - 1];
  return before && changed({ ...rest, stage: 'questions', asking: before.name });
}

/** The form as the next revision; a quote for the one before it no longer counts. */
export function changed(form: Form): Form {
  return { ...without(form, 'quote'), revision: form.revision + 1 };
}

/** Moves on to where the values allow: to a question that has become open, or past the last one. */
export function settled(form: Form, model: Model): Form {
  if (openParameters(form, model).length > 0) return { ...form, stage: 'questions' };
  if (form.stage === 'questions') {
    if (form.asking !== undefined) return form;
    return { ...form, stage: hasOptions(form, model) ? 'options' : 'confirm' };
  }
  return violation(form, model) ? { ...form, stage: 'options' } : form;
}

export function without(form: Form, key: 'asking' | 'quote'): Form {
  const { [key]: _dropped, ...kept } = form;
  return kept;
}

function question(among: readonly Parameter[], parameter: Parameter, editing: boolean): Step {
  return { kind: 'question', parameter, number: among.indexOf(parameter) + 1, of: among.length, editing };
}
