// The confirmed form becomes a task, at the price that was shown.
import { formatMoney } from '../billing/money-text.ts';
import type { Handler } from '../bot/context.ts';
import { rejected, show } from '../ui/outcome.ts';
import { whyUnavailable } from './availability.ts';

export const generate: Handler<'generate'> = async ({ user, form, screen, pipeline, catalogue, prices }) => {
  const model = catalogue.byKey(form.model);
  if (!model) return rejected('UNKNOWN_ACTION', { detail: `model ${form.model}` });
  const unavailable = whyUnavailable(catalogue, model);
  if (unavailable) return unavailable;
  const { quote } = form;
  // The fallback shows the confirmation again, with a new price.
  if (!quote || !prices.isValid(quote, model))
    return rejected('EXPIRED_MESSAGE', {
      detail: 'the quote',
      because: { detail_code: 'quote_expired' },
      hint: { key: 'hint-quote-expired' },
    });
  const confirmed = await pipeline.confirm({
    chatId: user.chatId,
    form,
    model,
    quote,
    messageId: screen?.messageId,
  });
  if (!confirmed.ok) {
    const missing = formatMoney(confirmed.missing, user.locale);
    return rejected('BALANCE_INSUFFICIENT', {
      detail: `${confirmed.missing} kopecks`,
      because: { detail_code: 'balance_short', amount: confirmed.missing },
      hint: { key: 'hint-balance', variables: { missing } },
    });
  }
  // Only after the screen says so may the task run: a quick result must not be overwritten by PROCESSING.
  return show(
    'PROCESSING',
    { task: confirmed.id, model: form.model },
    { followUps: [{ kind: 'start_task', task: confirmed.id }] },
  );
};
