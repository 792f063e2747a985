// Owns what every message that a bot sends has in common: the chat it may write to, its keyboard, the message that it
// replies to. It returns the message as Telegram answers it.
import type { Message } from 'grammy/types';
import { badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import type { Chat, MessageFields } from '../chats.ts';
import type { ParsedText } from '../html.ts';
import { readReplyMarkup } from '../keyboard.ts';
import { isJsonObject, type Parameters } from '../parameters.ts';

/** Posts `content` with the common arguments of a send. Throws 400 and 403 as Telegram does. */
export function postFromBot(state: BotState, parameters: Parameters, content: MessageFields): Message {
  const markup = readReplyMarkup(parameters);
  const chat = state.chats.writable(parameters.text('chat_id'));
  const fields: MessageFields = { ...content, ...replyFields(state, parameters, chat) };
  if (parameters.flag('protect_content')) fields.has_protected_content = true;
  if (markup.inline !== undefined) fields.reply_markup = markup.inline;
  if (markup.reply !== undefined) chat.replyKeyboard = markup.reply;
  return state.chats.post(chat, state.botUser, fields).message;
}

/** A text as the fields of a message; an empty list of entities is left out. */
export function textFields({ text, entities }: ParsedText): Pick<MessageFields, 'text' | 'entities'> {
  return entities.length === 0 ? { text } : { text, entities: [...entities] };
}

/** A caption as the fields of a message; an empty one is left out. */
export function captionFields(
  { text, entities }: ParsedText,
  parameters: Parameters,
): Pick<MessageFields, 'caption' | 'caption_entities' | 'show_caption_above_media'> {
  if (text === '') return {};
  return {
    caption: text,
    ...(entities.length === 0 ? {} : { caption_entities: [...entities] }),
    ...(parameters.flag('show_caption_above_media') ? { show_caption_above_media: true } : {}),
  };
}

function replyFields(
  state: BotState,
  parameters: Parameters,
  chat: Chat,
): Pick<MessageFields, 'reply_to_message'> {
  const given = parameters.json('reply_parameters', 'reply parameters');
  if (given !== undefined && !isJsonObject(given)) throw badRequest('object expected as reply parameters');
  const reply = given === undefined ? parameters : parameters.nested(given);
  const messageId = reply.integer(given === undefined ? 'reply_to_message_id' : 'message_id', 0);
  if (messageId === 0) return {};
  const target = state.chats.message(chat, messageId);
  if (target === undefined) {
    if (reply.flag('allow_sending_without_reply')) return {};
    throw badRequest('message to be replied not found');
  }
  const { reply_to_message: _deeper, ...message } = target.message;
  // SAFETY: a ReplyMessage is a Message without the message that it replied to itself, which has just been cut off.
  return { reply_to_message: message as NonNullable<Message['reply_to_message']> };
}
