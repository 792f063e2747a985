// What an answer of the Bot API must look like before anything believes it: its envelope, and for what was sent the
// numbers of the messages. A proxy in front of it, a broken server or a cut connection answers anything: null, a list, a
// page of HTML. Such an answer says nothing of what was done.
import { HttpError, type Transformer } from 'grammy';
import { z } from 'zod';
import { AppError } from '../errors.ts';

const refusal = z.object({
  ok: z.literal(false),
  error_code: z.int(),
  description: z.string(),
  parameters: z.object({ retry_after: z.number().nonnegative().optional() }).optional(),
});
const message = z.object({ message_id: z.int() });
/** By the beginning of the method. Of all else it is enough that there is a result. */
const results: readonly (readonly [RegExp, z.ZodType])[] = [
  [/^sendChatAction$/, z.literal(true)],
  [/^sendMediaGroup$/, z.array(message).min(1)],
  [/^send/, message],
  [/^edit/, z.union([z.literal(true), message])],
  [/^(answer|delete|set|leave)/, z.literal(true)],
  [/^getUpdates$/, z.array(z.object({ update_id: z.int() }))],
];

/** Throws what grammY throws where there was no answer, unless `answer` is one. */
export const checkedEnvelope: Transformer = async (previous, method, payload, signal) => {
  const answer = await previous(method, payload, signal);
  if (!isAnswer(answer, method)) {
    throw new HttpError(
      `Network request for '${method}' failed!`,
      new AppError({
        code: 'TELEGRAM_ANSWER_INVALID',
        message: `What came back for ${method} is no answer of the Bot API`,
      }),
    );
  }
  return answer;
};

function isAnswer(answer: unknown, method: string): boolean {
  if (typeof answer !== 'object' || answer === null || !('ok' in answer)) return false;
  if (answer.ok !== true) return refusal.safeParse(answer).success;
  if (!('result' in answer) || answer.result === null || answer.result === undefined) return false;
  const schema = results.find(([pattern]) => pattern.test(method))?.[1];
  return schema === undefined || schema.safeParse(answer.result).success;
}
