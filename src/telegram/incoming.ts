// What an update is about, read from its JSON without trusting it: the kind for telemetry, the chat, the
// user, the message a tapped button is on. Used before the update is stored, so it must never throw.
import { z } from 'zod';
import type { Locale } from '../locales.ts';
import { localeOf } from '../locales.ts';
import type { AmbientFields, EventType } from '../otel/fields.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';

export interface IncomingUpdate {
  readonly updateId: number;
  readonly eventType: EventType;
  /** Updates of one lane are worked in order: the chat, else the user, else one lane for all the rest. */
  readonly lane: number;
  readonly userId: number | undefined;
  readonly chatId: number | undefined;
  readonly messageId: number | undefined;
  readonly callbackId: string | undefined;
  readonly callbackData: string | undefined;
  readonly checkoutId: string | undefined;
  /** A checkout, or a message about money that was paid or given back: it must not wait. */
  readonly isPayment: boolean;
  /** A tap or a message that is no payment: what a chat can send in any number. */
  readonly isLimited: boolean;
  /** The language to write to the user in. */
  readonly locale: Locale;
}

const id = z.int();
const chat = z.looseObject({ id });
const user = z.looseObject({ id, language_code: z.string().optional().catch(undefined) });
const payment = z.looseObject({}).optional().catch(undefined);
const message = z.looseObject({
  message_id: id.optional(),
  chat: chat.optional(),
  from: user.optional(),
  text: z.string().optional(),
  successful_payment: payment,
  refunded_payment: payment,
});
const membership = z.looseObject({ from: user.optional(), chat: chat.optional() });

const updateSchema = z.looseObject({
  update_id: id,
  message: message.optional().catch(undefined),
  callback_query: z
    .looseObject({
      id: z.string(),
      from: user.optional(),
      message: message.optional().catch(undefined),
      data: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  pre_checkout_query: z.looseObject({ id: z.string(), from: user.optional() }).optional().catch(undefined),
  my_chat_member: membership.optional().catch(undefined),
});

const noLane = 0;

/** undefined when the body has no integer update_id: only then is it no update. */
export function readIncoming(body: unknown): IncomingUpdate | undefined {
  const parsed = updateSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const update = parsed.data;
  const subject =
    update.message ?? update.callback_query ?? update.pre_checkout_query ?? update.my_chat_member;
  const message = update.message ?? update.callback_query?.message;
  const userId = subject?.from?.id;
  const chatId = (message ?? update.my_chat_member)?.chat?.id ?? userId;
  const isPayment = Boolean(
    update.pre_checkout_query ?? update.message?.successful_payment ?? update.message?.refunded_payment,
  );
  return {
    updateId: update.update_id,
    eventType: eventTypeOf(update),
    lane: chatId ?? noLane,
    userId,
    chatId,
    messageId: update.callback_query?.message?.message_id,
    callbackId: update.callback_query?.id,
    callbackData: update.callback_query?.data,
    checkoutId: update.pre_checkout_query?.id,
    isPayment,
    isLimited: !isPayment && Boolean(update.message ?? update.callback_query),
    locale: localeOf(subject?.from?.language_code),
  };
}

function eventTypeOf(update: z.infer<typeof updateSchema>): EventType {
  if (update.callback_query) return 'callback_query';
  if (update.pre_checkout_query) return 'pre_checkout_query';
  if (update.my_chat_member) return 'my_chat_member';
  if (!update.message) return 'unknown';
  if (update.message.text === undefined) return 'message';
  return update.message.text.startsWith('/') ? 'command' : 'text_input';
}

/** A private chat has the id of its user; the bot says nothing in others. */
export function privateChatOf({ chatId, userId }: IncomingUpdate): number | undefined {
  return chatId === userId ? chatId : undefined;
}

/** Who an update is about, as telemetry may know it. */
export function pseudonymsOf(
  { userId, chatId }: Pick<IncomingUpdate, 'userId' | 'chatId'>,
  pseudonyms: Pseudonyms,
): AmbientFields {
  return {
    ...(userId === undefined ? {} : { user_hash: pseudonyms.user(userId) }),
    ...(chatId === undefined ? {} : { chat_hash: pseudonyms.chat(chatId) }),
  };
}
