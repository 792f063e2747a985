// Owns the methods that send texts, take messages away, show that the bot is busy, and leave a chat.
import type { Message } from 'grammy/types';
import { badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import type { MessageFields } from '../chats.ts';
import { readMessageText } from '../formatted-text.ts';
import { isJsonObject, type Parameters } from '../parameters.ts';
import type { MethodGroup } from './method.ts';
import { postFromBot, textFields } from './outgoing.ts';

const CHAT_ACTIONS: ReadonlySet<string> = new Set([
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
]);
/** Messages can be deleted for 48 hours (core.telegram.org/bots/api#deletemessage). */
const DELETABLE_SECONDS = 48 * 3600;

export function createMessageMethods(state: BotState) {
  const { chats } = state;
  return {
    sendMessage(parameters) {
      const content = {
        ...textFields(readMessageText(parameters, 'send')),
        ...linkPreviewFields(parameters),
      };
      // SAFETY: the message has a text, which makes it a TextMessage.
      return postFromBot(state, parameters, content) as Message.TextMessage;
    },
    deleteMessage(parameters) {
      if (!parameters.has('chat_id')) throw badRequest('chat identifier is not specified');
      const messageId = parameters.integer('message_id', 0);
      if (messageId === 0) throw badRequest('message identifier is not specified');
      const message = chats.message(chats.writable(parameters.text('chat_id')), messageId);
      if (message === undefined) throw badRequest('message to delete not found');
      if (state.now() / 1000 - message.message.date > DELETABLE_SECONDS) {
        throw badRequest("message can't be deleted for everyone");
      }
      chats.remove(message);
      return true;
    },
    sendChatAction(parameters) {
      if (!CHAT_ACTIONS.has(parameters.text('action'))) throw badRequest('wrong parameter action in request');
      chats.writable(parameters.text('chat_id'));
      return true;
    },
    leaveChat(parameters) {
      const chat = chats.named(parameters.text('chat_id'));
      if (chat.info.type === 'private') throw badRequest("can't leave private chats");
      chat.access = 'left';
      return true;
    },
  } satisfies MethodGroup;
}

/** The choice of a link preview, which is part of what a text message shows. */
export function linkPreviewFields(parameters: Parameters): Pick<MessageFields, 'link_preview_options'> {
  const options = parameters.json('link_preview_options', 'link preview options');
  if (options === undefined) return {};
  if (!isJsonObject(options)) throw badRequest('object expected as link preview options');
  return { link_preview_options: options };
}
