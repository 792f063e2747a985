// What the stand-ins of Telegram and KIE.ai know of a history.
import type { KieSandbox } from '../kie/index.ts';
import type { TelegramSandbox } from '../telegram/index.ts';
import type { Order, QueryAnswer } from './history.ts';

/** Answers to taps and to checkouts, in their order. */
export function answersOf(telegram: TelegramSandbox): QueryAnswer[] {
  const taps = telegram.calls('answerCallbackQuery');
  const checkouts = telegram.calls('answerPreCheckoutQuery');
  return [...taps, ...checkouts].map(({ payload, at, ok }) => ({
    queryId: String(payload.callback_query_id ?? payload.pre_checkout_query_id),
    at,
    ok,
  }));
}

export function ordersOf(kie: KieSandbox): Order[] {
  return kie.tasks().map(({ taskId, callBackUrl }) => ({ vendorTaskId: taskId, callBackUrl }));
}
