// Opens an empty form for a model: from its card, or once more from a result.
import type { Handler, HandlerContext } from '../bot/context.ts';
import { startForm } from '../pipeline/form.ts';
import { type Outcome, rejected, show } from '../ui/outcome.ts';

export const create: Handler<'create'> = async (context, [key]) => open(context, key);

export const again: Handler<'again'> = async (context, [key]) => open(context, key);

function open({ catalogue }: HandlerContext, key: string): Outcome<'PARAMS_FORM'> {
  const model = catalogue.byKey(key);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `model ${key}` });
  if (!model.enabled) return rejected('MODEL_DISABLED', { detail: model.id });
  return show('PARAMS_FORM', { form: startForm(model) });
}
