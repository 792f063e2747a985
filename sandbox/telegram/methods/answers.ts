// Owns the methods that answer a query: a pressed button and a checkout. Each query takes one answer, in time.
import { badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import { isLonger } from '../formatted-text.ts';
import type { MethodGroup } from './method.ts';

const MAXIMUM_ANSWER_CHARACTERS = 200;
const MAXIMUM_CACHE_SECONDS = 30 * 24 * 3600;

export function createAnswerMethods({ queries, now }: BotState) {
  return {
    answerCallbackQuery(parameters) {
      const text = parameters.text('text');
      // Too long an answer is refused in these words (reported) and does not use the query up.
      if (isLonger(text, MAXIMUM_ANSWER_CHARACTERS)) throw badRequest('MESSAGE_TOO_LONG');
      const query = queries.take(parameters.text('callback_query_id'));
      query.onAnswer({
        text,
        showAlert: parameters.flag('show_alert'),
        url: parameters.text('url'),
        cacheTime: parameters.integer('cache_time', 0, 0, MAXIMUM_CACHE_SECONDS),
        at: now(),
      });
      return true;
    },
    answerPreCheckoutQuery(parameters) {
      const isAccepted = parameters.flag('ok');
      const text = isAccepted ? '' : parameters.requiredText('error_message');
      const query = queries.take(parameters.text('pre_checkout_query_id'));
      query.onAnswer({ text, showAlert: !isAccepted, url: '', cacheTime: 0, at: now() });
      return true;
    },
  } satisfies MethodGroup;
}
