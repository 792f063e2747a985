// Owns the chats and what is in them: messages by id, what each shows now, the order of what happened, and whether the
// bot may write there. Message ids are counted over all chats, as they are for an account of Telegram.
// Promises that a message's wire shape (`message`) is replaced by an edit, never changed, so that it can be handed out.
// It does not check texts and keyboards; that is done before it is asked.
import type { Chat as ChatInfo, Message, User } from 'grammy/types';
import { badRequest, forbidden } from './api-error.ts';
import type { Changes } from './changes.ts';
import type { ReplyKeyboard } from './keyboard.ts';

/** Why a chat is writable or not. */
export type ChatAccess = 'never-started' | 'open' | 'blocked' | 'deactivated' | 'left';

export interface StoredMessage {
  readonly chat: Chat;
  readonly fromBot: boolean;
  /** The message as Telegram would return it now. */
  message: Message;
  /** The number of its latest change (Changes.moment). */
  moment: number;
  editCount: number;
  isDeleted: boolean;
}

/** Something that was seen or done in a chat and is no message. */
export interface ChatEvent {
  readonly from: 'user' | 'bot';
  readonly kind: 'click' | 'toast' | 'alert' | 'block' | 'unblock';
  readonly text: string;
  readonly data?: string;
  readonly messageId?: number;
}

export interface Chat {
  readonly id: number;
  readonly info: ChatInfo;
  access: ChatAccess;
  readonly messages: Map<number, StoredMessage>;
  /** Messages and events in the order in which they came; deleted messages stay, marked. */
  readonly timeline: (StoredMessage | ChatEvent)[];
  replyKeyboard: ReplyKeyboard | null;
}

/** What a new message or a new version of one holds beside id, chat, sender and dates. */
export type MessageFields = Omit<Message, 'message_id' | 'chat' | 'from' | 'date' | 'edit_date'>;

export interface Chats {
  add(info: ChatInfo, access: ChatAccess): Chat;
  find(chatId: number): Chat | undefined;
  /** The chat that a `chat_id` argument names. Throws 400 `chat not found`. */
  named(chatId: string): Chat;
  /** The same, and the bot may write there. Throws 403 with the reason otherwise. */
  writable(chatId: string): Chat;
  post(chat: Chat, from: User, fields: MessageFields): StoredMessage;
  edit(message: StoredMessage, fields: MessageFields): void;
  remove(message: StoredMessage): void;
  /** The message if it is still there. */
  message(chat: Chat, messageId: number): StoredMessage | undefined;
  record(chat: Chat, event: ChatEvent): void;
}

export interface ChatsOptions {
  readonly changes: Changes;
  readonly now: () => number;
  /** Without history, events are not kept and each chat keeps only its newest messages. */
  readonly keepHistory: boolean;
}

/** Without history a chat is cut to the first number when it reaches the second. */
const KEPT_MESSAGES = 100;
const CUT_AT_MESSAGES = 200;

const CHAT_KIND: Readonly<Record<ChatInfo['type'], string>> = {
  private: 'private chat',
  group: 'group chat',
  supergroup: 'supergroup chat',
  channel: 'channel chat',
};

export function createChats({ changes, now, keepHistory }: ChatsOptions): Chats {
  const chats = new Map<number, Chat>();
  let latestMessageId = 0;

  function named(chatId: string): Chat {
    if (chatId === '') throw badRequest('chat_id is empty');
    const chat = chats.get(Number(chatId));
    if (chat === undefined) throw badRequest('chat not found');
    return chat;
  }

  return {
    add(info, access) {
      const chat: Chat = {
        id: info.id,
        info,
        access,
        messages: new Map(),
        timeline: [],
        replyKeyboard: null,
      };
      chats.set(info.id, chat);
      return chat;
    },
    find: chatId => chats.get(chatId),
    named,
    writable(chatId) {
      const chat = named(chatId);
      switch (chat.access) {
        case 'open':
          return chat;
        case 'never-started':
          throw forbidden("bot can't initiate conversation with a user");
        case 'blocked':
          throw forbidden('bot was blocked by the user');
        case 'deactivated':
          throw forbidden('user is deactivated');
        case 'left':
          throw forbidden(`bot is not a member of the ${CHAT_KIND[chat.info.type]}`);
      }
    },
    post(chat, from, fields) {
      latestMessageId += 1;
      const message: StoredMessage = {
        chat,
        fromBot: from.is_bot,
        message: {
          message_id: latestMessageId,
          from,
          chat: chat.info,
          date: toUnixSeconds(now()),
          ...fields,
        },
        moment: 0,
        editCount: 0,
        isDeleted: false,
      };
      chat.messages.set(latestMessageId, message);
      chat.timeline.push(message);
      if (!keepHistory && chat.timeline.length >= CUT_AT_MESSAGES) cut(chat);
      changes.record(message);
      return message;
    },
    edit(message, fields) {
      message.message = { ...lastingFields(message.message), edit_date: toUnixSeconds(now()), ...fields };
      message.editCount += 1;
      changes.record(message);
    },
    remove(message) {
      message.isDeleted = true;
      message.chat.messages.delete(message.message.message_id);
      changes.record(message);
    },
    message: (chat, messageId) => chat.messages.get(messageId),
    record(chat, event) {
      if (keepHistory) chat.timeline.push(event);
      changes.record();
    },
  };
}

/** Telegram's dates are whole seconds. */
export function toUnixSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** Whether an item of a timeline is a message. */
export function isMessage(item: StoredMessage | ChatEvent): item is StoredMessage {
  return 'message' in item;
}

/** What an edit cannot change. */
function lastingFields(message: Message) {
  const { message_id, from, chat, date, media_group_id, reply_to_message } = message;
  return {
    message_id,
    chat,
    date,
    ...(from === undefined ? {} : { from }),
    ...(media_group_id === undefined ? {} : { media_group_id }),
    ...(reply_to_message === undefined ? {} : { reply_to_message }),
  };
}

function cut(chat: Chat): void {
  const removed = chat.timeline.splice(0, chat.timeline.length - KEPT_MESSAGES);
  for (const item of removed) {
    if (isMessage(item)) chat.messages.delete(item.message.message_id);
  }
}
