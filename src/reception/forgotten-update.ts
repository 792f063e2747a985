// What is left of an update whose user was erased before it was worked: as much as it takes to answer it, and nothing
// that was written. A payment stays whole, because money has to be booked; it is forgotten when it has ended.
import { z } from 'zod';
import { readIncoming } from '../telegram/incoming.ts';
import { decodeButton } from '../ui/codec.ts';

const person = z.object({
  id: z.int(),
  is_bot: z.boolean().optional(),
  language_code: z.string().optional(),
});
const chat = z.object({ id: z.int(), type: z.string() });
const membership = z.object({ status: z.string() });
const message = z.object({ message_id: z.int(), date: z.int(), chat, from: person.optional() });

/** Keys that are not named here are left out. */
const answerable = z.object({
  update_id: z.int(),
  message: message
    .extend({ text: z.string().transform(commandOf).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  callback_query: z
    .object({
      id: z.string(),
      from: person,
      chat_instance: z.string().optional(),
      inline_message_id: z.string().optional(),
      message: message.optional().catch(undefined),
      data: z
        .string()
        .transform(data => (decodeButton(data).ok ? data : ''))
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
  my_chat_member: z
    .object({ chat, from: person, date: z.int(), old_chat_member: membership, new_chat_member: membership })
    .optional()
    .catch(undefined),
});

/** `updateId`: what is left where the body cannot be read. Takes and gives JSON text. */
export function forgottenUpdate(body: string, updateId: number): string {
  try {
    const update: unknown = JSON.parse(body);
    if (readIncoming(update)?.isPayment) return body;
    return JSON.stringify(answerable.parse(update));
  } catch {
    // Then it ends as a kind of update that the bot has no use for.
    return JSON.stringify({ update_id: updateId });
  }
}

function commandOf(text: string): string | undefined {
  return /^\/[a-z]{1,32}(?=$|[\s@])/i.exec(text)?.[0];
}
