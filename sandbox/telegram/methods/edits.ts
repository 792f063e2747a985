// Owns the methods that replace what a message shows. An edit without `reply_markup` takes the keyboard away, and an
// edit that changes nothing is refused.
// Messages sent in inline mode are not part of the sandbox.
// Source: Client.cpp 13503–13790, TDLib MessagesManager.cpp edit_message_….
import { isDeepStrictEqual } from 'node:util';
import type { Message, Update } from 'grammy/types';
import { badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import type { MessageFields, StoredMessage } from '../chats.ts';
import { readCaption, readMessageText } from '../formatted-text.ts';
import { readEditMarkup } from '../keyboard.ts';
import type { Parameters } from '../parameters.ts';
import { readInputMedia } from './input-media.ts';
import { linkPreviewFields } from './messages.ts';
import type { MethodGroup } from './method.ts';
import { captionFields, textFields } from './outgoing.ts';

type Edited<M extends Message> = Update.Edited & M;

const NOT_MODIFIED =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content ' +
  'and reply markup of the message';

export function createEditMethods(state: BotState) {
  /** The bot's own message that the arguments name. */
  function target(parameters: Parameters): StoredMessage {
    const messageId = parameters.integer('message_id', 0);
    if (!parameters.has('chat_id') && messageId === 0)
      throw badRequest('message identifier is not specified');
    const message = state.chats.message(state.chats.writable(parameters.text('chat_id')), messageId);
    if (message === undefined) throw badRequest('message to edit not found');
    if (!message.fromBot) throw badRequest("message can't be edited");
    return message;
  }

  function replace(message: StoredMessage, parameters: Parameters, content: MessageFields): Message {
    const markup = readEditMarkup(parameters);
    const fields: MessageFields = markup === undefined ? content : { ...content, reply_markup: markup };
    if (isSame(shownFields(message.message), fields)) throw badRequest(NOT_MODIFIED);
    state.chats.edit(message, fields);
    return message.message;
  }

  return {
    editMessageText(parameters) {
      const content = {
        ...textFields(readMessageText(parameters, 'edit')),
        ...linkPreviewFields(parameters),
      };
      const message = target(parameters);
      if (message.message.text === undefined) throw badRequest('there is no text in the message to edit');
      // SAFETY: the message has a text and has just got its edit date.
      return replace(message, parameters, content) as Edited<Message.TextMessage>;
    },
    editMessageCaption(parameters) {
      const caption = captionFields(readCaption(parameters, 'edit'), parameters);
      const message = target(parameters);
      if (message.message.text !== undefined) throw badRequest('there is no caption in the message to edit');
      const content = { ...mediaOnly(message.message), ...caption };
      // SAFETY: the message holds a file, hence is a CaptionableMessage, and has just got its edit date.
      return replace(message, parameters, content) as Edited<Message & Message.CaptionableMessage>;
    },
    editMessageReplyMarkup(parameters) {
      const message = target(parameters);
      const { reply_markup: _old, ...content } = shownFields(message.message);
      // SAFETY: it has just got its edit date.
      return replace(message, parameters, content) as Edited<Message>;
    },
    async editMessageMedia(parameters) {
      const content = await readInputMedia(state, parameters, 'edit');
      // SAFETY: it has just got its edit date.
      return replace(target(parameters), parameters, content) as Edited<Message>;
    },
  } satisfies MethodGroup;
}

/** Everything of a message that its chat shows: what an edit can replace. */
function shownFields(message: Message): MessageFields {
  const {
    text,
    entities,
    link_preview_options,
    caption,
    caption_entities,
    show_caption_above_media,
    reply_markup,
  } = message;
  return {
    ...(text === undefined ? {} : { text }),
    ...(entities === undefined ? {} : { entities }),
    ...(link_preview_options === undefined ? {} : { link_preview_options }),
    ...mediaOnly(message),
    ...(caption === undefined ? {} : { caption }),
    ...(caption_entities === undefined ? {} : { caption_entities }),
    ...(show_caption_above_media === undefined ? {} : { show_caption_above_media }),
    ...(reply_markup === undefined ? {} : { reply_markup }),
  };
}

function mediaOnly(message: Message): MessageFields {
  const { photo, video, audio, voice, animation, document, has_media_spoiler } = message;
  return {
    ...(photo === undefined ? {} : { photo }),
    ...(video === undefined ? {} : { video }),
    ...(audio === undefined ? {} : { audio }),
    ...(voice === undefined ? {} : { voice }),
    ...(animation === undefined ? {} : { animation }),
    ...(document === undefined ? {} : { document }),
    ...(has_media_spoiler === undefined ? {} : { has_media_spoiler }),
  };
}

/** The texts are compared first: they nearly always differ, and the rest need not be looked at. */
function isSame(current: MessageFields, next: MessageFields): boolean {
  return current.text === next.text && current.caption === next.caption && isDeepStrictEqual(current, next);
}
