// The screen on which a form stands: a question, its options, or the confirmation with a price. The price is frozen
// in the form when the confirmation is shown, and made anew when it has grown old.
import type { HandlerContext } from '../bot/context.ts';
import type { Model } from '../catalogue/schema.ts';
import { effectiveValues } from '../pipeline/filled.ts';
import { currentStep, type Form } from '../pipeline/form.ts';
import { type Outcome, rejected, type ShowOptions, show } from '../ui/outcome.ts';
import { whyUnavailable } from './availability.ts';

export type FormOutcome = Outcome<'PARAMS_FORM' | 'OPTIONS' | 'CONFIRM'>;

export async function formScreen(
  context: HandlerContext,
  form: Form,
  options: ShowOptions = {},
): Promise<FormOutcome> {
  const model = context.catalogue.byKey(form.model);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `model ${form.model}` });
  switch (currentStep(form, model).kind) {
    case 'question':
      return show('PARAMS_FORM', { form }, options);
    case 'options':
      return show('OPTIONS', { form }, options);
    case 'confirm':
      return confirmScreen(context, form, model, options);
  }
}

async function confirmScreen(
  context: HandlerContext,
  form: Form,
  model: Model,
  options: ShowOptions,
): Promise<Outcome<'CONFIRM'>> {
  const { prices, account, user, catalogue } = context;
  const unavailable = whyUnavailable(catalogue, model);
  if (unavailable) return unavailable;
  const { available } = await account.balance(user.chatId);
  if (form.quote && prices.isValid(form.quote, model))
    return show('CONFIRM', { form, price: form.quote.kopecks, available }, options);
  const quoted = prices.quote(model, effectiveValues(form, model));
  if (quoted.ok) {
    const { quote } = quoted;
    return show('CONFIRM', { form: { ...form, quote }, price: quote.kopecks, available }, options);
  }
  return quoted.problem === 'price_unknown'
    ? rejected('MODEL_DISABLED', {
        detail: `${model.id}: price unknown`,
        because: { detail_code: 'price_unknown', model_id: model.id },
        hint: { key: 'hint-model-price-unknown' },
      })
    : rejected('VALIDATION_FAILED', {
        detail: quoted.problem,
        because: { detail_code: quoted.problem },
        hint: { key: 'hint-combination' },
      });
}
