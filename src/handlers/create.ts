// Opens a form: an empty one from a model's card or its result, or one filled in as a failed generation was.
import type { Handler, HandlerContext } from '../bot/context.ts';
import { refillForm, startForm } from '../pipeline/form.ts';
import { rejected } from '../ui/outcome.ts';
import { whyUnavailable } from './availability.ts';
import { type FormOutcome, formScreen } from './form-screen.ts';

export const create: Handler<'create'> = async (context, [key]) => openForm(context, key);

export const again: Handler<'again'> = async (context, [key]) => openForm(context, key);

/** The same inputs at today's price. */
export const retry: Handler<'retry'> = async (context, [id]) => {
  const { pipeline, catalogue, user } = context;
  const order = await pipeline.orderOf(id, user.chatId);
  const model = order && catalogue.byKey(order.modelKey);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `task ${id}` });
  return whyUnavailable(catalogue, model) ?? formScreen(context, refillForm(model, order.values));
};

async function openForm(context: HandlerContext, key: string): Promise<FormOutcome> {
  const { catalogue } = context;
  const model = catalogue.byKey(key);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `model ${key}` });
  return whyUnavailable(catalogue, model) ?? formScreen(context, startForm(model));
}
