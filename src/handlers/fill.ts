// Filling in a form: an answer by button or by text, and one step back.
import type { Handler, HandlerContext, TextHandler } from '../bot/context.ts';
import { lengthOnly } from '../otel/privacy.ts';
import { answerForm, currentParameter, type Form, previousStep } from '../pipeline/form.ts';
import { type Outcome, type ParameterInput, rejected, show } from '../ui/outcome.ts';

export const choose: Handler<'choose'> = async (context, [, , index]) => {
  const parameter = currentParameterOf(context, context.form);
  const value = parameter?.type === 'choice' ? parameter.values[index] : undefined;
  if (value === undefined) return rejected('UNKNOWN_ACTION', { detail: `choice ${index}` });
  return answer(context, context.form, value, 'button');
};

export const text: TextHandler = async (context, value) => {
  if (!context.form) return rejected('STATE_MISMATCH', { detail: 'no form is open' });
  return answer(context, context.form, value, 'text');
};

export const previous: Handler<'previous'> = async ({ form }) => {
  const before = previousStep(form);
  return before ? show('PARAMS_FORM', { form: before }) : show('MODEL_PICK', { model: form.model });
};

/** The screen that shows where a form stands. */
export function formScreen(context: HandlerContext, form: Form): Outcome<'PARAMS_FORM' | 'CONFIRM'> {
  return currentParameterOf(context, form) ? show('PARAMS_FORM', { form }) : show('CONFIRM', { form });
}

function answer(
  context: HandlerContext,
  form: Form,
  value: string,
  source: ParameterInput['source'],
): Outcome<'PARAMS_FORM' | 'CONFIRM'> {
  const model = context.catalogue.byKey(form.model);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `model ${form.model}` });
  const parameter = currentParameter(form, model);
  if (!parameter) return rejected('STATE_MISMATCH', { detail: 'every question is answered' });
  // A typed value is the user's own words even where a choice was asked for.
  const logged = { name: parameter.name, value: source === 'text' ? lengthOnly(value) : value, source };
  const answered = answerForm(form, model, value);
  if (!answered.ok) {
    return rejected('VALIDATION_FAILED', {
      detail: answered.problem,
      hint: {
        key: `hint-${answered.problem.replaceAll('_', '-')}`,
        variables: { allowed: answered.allowed },
      },
      parameter: { ...logged, allowed: answered.allowed },
    });
  }
  const next = answered.form;
  return currentParameter(next, model)
    ? show('PARAMS_FORM', { form: next }, { parameter: logged })
    : show('CONFIRM', { form: next }, { parameter: logged });
}

function currentParameterOf({ catalogue }: HandlerContext, form: Form): ReturnType<typeof currentParameter> {
  const model = catalogue.byKey(form.model);
  return model && currentParameter(form, model);
}
