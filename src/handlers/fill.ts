// Filling in a form: answers by button, text and file, and the ways between its questions, options and confirmation.
import type { FileHandler, Handler, HandlerContext, TextHandler } from '../bot/context.ts';
import { labelOf } from '../catalogue/labels.ts';
import type { Model, Parameter } from '../catalogue/schema.ts';
import { lengthOnly } from '../otel/redaction.ts';
import { answer, type RawAnswer } from '../pipeline/answer.ts';
import {
  currentStep,
  editParameter,
  type Form,
  goBack,
  proceed as goOn,
  openOptions,
} from '../pipeline/form.ts';
import { type Hint, type ParameterInput, rejected, type ShowOptions, show } from '../ui/outcome.ts';
import { searchFor } from './browse.ts';
import { type FormOutcome, formScreen } from './form-screen.ts';

/** Characters of a text that telemetry may have. */
const maxAllowedText = 200;

type FormContext = HandlerContext & { readonly form: Form };

export const choose: Handler<'choose'> = async (context, [, , index]) => {
  const parameter = askedParameter(context);
  const offered = parameter && offeredAt(parameter, index);
  if (!offered) return rejected('UNKNOWN_ACTION', { detail: `choice ${index}` });
  return take(context, offered.raw, { value: offered.value, source: 'button' });
};

export const done: Handler<'done'> = async context =>
  take(context, { kind: 'done' }, { value: 'done', source: 'button' });

export const clear: Handler<'clear'> = async context =>
  take(context, { kind: 'clear' }, { value: 'cleared', source: 'button' });

/** An answer where a form is open, otherwise words to look for. */
export const text: TextHandler = async (context, value) => {
  const { form } = context;
  if (!form) return searchFor(context, value);
  const isWords = askedParameter({ ...context, form })?.type === 'text';
  return take(
    { ...context, form },
    { kind: 'text', text: value },
    {
      value: lengthOnly(value),
      source: 'text',
      isShownWhenTaken: !isWords,
      ...(context.user.promptConsent ? { allowedText: [...value].slice(0, maxAllowedText).join('') } : {}),
    },
  );
};

export const file: FileHandler = async (context, { media, file: reference, groupId }) => {
  const isRestOfAlbum = groupId !== undefined && groupId === context.form.groupId;
  return take(
    context,
    { kind: 'file', media, file: reference, groupId },
    { value: `file(${media})`, source: 'upload' },
    // The pictures of an album come as messages of their own; one screen is enough for all of them.
    { replaces: isRestOfAlbum },
  );
};

export const edit: Handler<'edit'> = async (context, [, , index]) => {
  const model = modelOf(context);
  const next = model && editParameter(context.form, model, index);
  if (!next) return rejected('UNKNOWN_ACTION', { detail: `parameter ${index}` });
  return show('PARAMS_FORM', { form: next });
};

export const options: Handler<'options'> = async context => {
  const model = modelOf(context);
  if (!model) return unknownModel(context.form);
  return show('OPTIONS', { form: openOptions(context.form, model) });
};

export const proceed: Handler<'proceed'> = async context => {
  const model = modelOf(context);
  if (!model) return unknownModel(context.form);
  const next = goOn(context.form, model);
  if (next.ok) {
    const shown = await formScreen(context, next.form);
    // SAFETY: a form that proceeded stands at its confirmation.
    return shown as Extract<FormOutcome, { screen: 'CONFIRM' } | { kind: 'rejected' | 'noop' }>;
  }
  const names = next.parameters.map(name => labelOf(name, context.user.locale, model.category));
  return rejected('VALIDATION_FAILED', {
    detail: `${next.problem}: ${next.parameters.join(', ')}`,
    because: { detail_code: next.problem },
    hint: { key: hintKey(next.problem), variables: { parameters: names.join(', ') } },
  });
};

export const previous: Handler<'previous'> = async context => {
  const model = modelOf(context);
  const before = model && goBack(context.form, model);
  return before ? formScreen(context, before) : show('MODEL_PICK', { model: context.form.model });
};

interface Given extends Omit<ParameterInput, 'name'> {
  /** What was typed turned out to be a number or a choice, which telemetry may know. */
  readonly isShownWhenTaken?: boolean;
}

async function take(
  context: FormContext,
  raw: RawAnswer,
  { isShownWhenTaken = false, ...given }: Given,
  options: ShowOptions = {},
): Promise<FormOutcome> {
  const model = modelOf(context);
  if (!model) return unknownModel(context.form);
  const parameter = askedParameter(context);
  const answered = answer(context.form, model, raw, context.linkRules);
  // The form stands at its options or its confirmation.
  if (!answered.ok && answered.problem === 'nothing_asked') {
    return rejected('STATE_MISMATCH', {
      detail: answered.problem,
      because: { detail_code: answered.problem },
      hint: { key: hintKey(answered.problem) },
    });
  }
  if (!answered.ok) {
    const label = parameter ? labelOf(parameter.name, context.user.locale, model.category) : '';
    const variables = { allowed: answered.allowed, parameters: label };
    const hint: Hint = { key: hintKey(answered.problem), variables };
    return rejected('VALIDATION_FAILED', {
      detail: answered.problem,
      because: { detail_code: answered.problem },
      hint,
      ...(parameter
        ? {
            parameter: {
              name: parameter.name,
              ...given,
              allowed: answered.allowed,
              problem: answered.problem,
            },
          }
        : {}),
    });
  }
  const taken = parameter && answered.form.values[parameter.name];
  const isShown = isShownWhenTaken && taken !== undefined && !Array.isArray(taken);
  const value = isShown ? String(taken) : given.value;
  const logged = parameter && { ...given, name: parameter.name, value };
  return formScreen(context, answered.form, { ...options, ...(logged ? { parameter: logged } : {}) });
}

/** What the button of a question stands for; undefined where the question has no such button. */
function offeredAt(parameter: Parameter, index: number): { raw: RawAnswer; value: string } | undefined {
  if (parameter.type === 'switch' && index < 2) {
    const on = index === 0;
    return { raw: { kind: 'switch', on }, value: String(on) };
  }
  const value = parameter.type === 'choice' ? parameter.values[index] : undefined;
  return value === undefined ? undefined : { raw: { kind: 'choice', index }, value: String(value) };
}

function askedParameter(context: FormContext): Parameter | undefined {
  const model = modelOf(context);
  const step = model && currentStep(context.form, model);
  return step?.kind === 'question' ? step.parameter : undefined;
}

function modelOf({ catalogue, form }: FormContext): Model | undefined {
  return catalogue.byKey(form.model);
}

function unknownModel(form: Form): ReturnType<typeof rejected> {
  return rejected('UNKNOWN_ACTION', { detail: `model ${form.model}` });
}

function hintKey(problem: string): string {
  return `hint-${problem.replaceAll('_', '-')}`;
}
