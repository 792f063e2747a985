// Owns what an update that a test has written by hand means for the sandbox: the chat that it comes from becomes known
// and writable, the query that it brings can be answered, and it waits in the lane where Telegram would put it.
// It takes any object: a kind that nobody knows yet is delivered as it is.
import type { Chat as ChatInfo } from 'grammy/types';
import type { BotState } from './bot-state.ts';
import { isJsonObject } from './parameters.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** The documented time for the answer to a checkout. */
const CHECKOUT_LIFETIME_MS = 10_000;
const MESSAGE_KINDS = ['message', 'edited_message', 'channel_post', 'edited_channel_post'];

/** Makes the chats and queries of the update known. Returns its lane, or undefined when it waits for nothing. */
export function admitRawUpdate(
  update: JsonObject,
  state: BotState,
  callbackLifetimeMs: number,
): string | undefined {
  for (const kind of [...MESSAGE_KINDS, 'my_chat_member']) {
    const chat = objectAt(objectAt(update, kind), 'chat');
    if (chat === undefined) continue;
    admitChat(chat, state);
    return `${kind === 'my_chat_member' ? 'member' : 'message'}:${String(chat.id)}`;
  }
  const callback = objectAt(update, 'callback_query');
  if (callback !== undefined) return admitQuery(callback, 'callback', callbackLifetimeMs, state);
  const checkout = objectAt(update, 'pre_checkout_query');
  if (checkout !== undefined) return admitQuery(checkout, 'payment', CHECKOUT_LIFETIME_MS, state);
  return undefined;
}

function admitChat(chat: JsonObject, state: BotState): void {
  const { id } = chat;
  if (typeof id !== 'number' || state.chats.find(id) !== undefined) return;
  // SAFETY: it has an id; what else it holds is only handed back to the bot that got it.
  state.chats.add(chat as unknown as ChatInfo, 'open');
}

function admitQuery(
  query: JsonObject,
  lane: string,
  lifetimeMs: number,
  state: BotState,
): string | undefined {
  const { id } = query;
  const userId = objectAt(query, 'from')?.id;
  const chat = typeof userId === 'number' ? state.chats.find(userId) : undefined;
  if (typeof id === 'string' && state.queries.find(id) === undefined) {
    state.queries.open({
      id,
      chatId: chat?.id,
      lifetimeMs,
      onAnswer(answer) {
        if (chat === undefined || lane !== 'callback' || answer.text === '') return;
        state.chats.record(chat, {
          from: 'bot',
          kind: answer.showAlert ? 'alert' : 'toast',
          text: answer.text,
        });
      },
    });
  }
  return typeof userId === 'number' ? `${lane}:${userId}` : undefined;
}

function objectAt(value: JsonObject | undefined, field: string): JsonObject | undefined {
  const part = value?.[field];
  return isJsonObject(part) ? part : undefined;
}
