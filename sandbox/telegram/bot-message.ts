// Owns how a test sees the bot's messages: a copy of one at one moment, and the way through those that are there now.
import type { Message } from 'grammy/types';
import { type Chat, isMessage, type StoredMessage } from './chats.ts';
import type { FileStore } from './file-store.ts';
import { type MessageKind, messageKind, type ShownKeyboard, shownKeyboard, shownText } from './transcript.ts';

/** A message of the bot as it was at one moment; an edit makes a new one. */
export interface BotMessage {
  readonly chatId: number;
  readonly messageId: number;
  readonly kind: MessageKind;
  /** The text or the caption; '' when there is none. */
  readonly text: string;
  readonly keyboard: ShownKeyboard;
  readonly edits: number;
  /** The number of its latest change (see WaitOptions.after). */
  readonly moment: number;
  /** Of a photo the largest size. */
  readonly fileId: string | undefined;
  /** The bytes as the bot sent them. */
  readonly fileBytes: Buffer | undefined;
  /** The message as the Bot API returns it. */
  readonly message: Message;
}

/** A copy of the message as it is now. */
export function viewMessage(
  { message, chat, editCount, moment }: StoredMessage,
  files: FileStore,
): BotMessage {
  const fileId = fileIdOf(message);
  return {
    chatId: chat.id,
    messageId: message.message_id,
    kind: messageKind(message),
    text: shownText(message),
    keyboard: shownKeyboard(message),
    edits: editCount,
    moment,
    fileId,
    fileBytes: fileId === undefined ? undefined : files.find(fileId)?.bytes,
    message,
  };
}

/** The bot's messages that are still there, newest first. */
export function* botMessages(chat: Chat): Generator<StoredMessage, undefined> {
  for (let index = chat.timeline.length - 1; index >= 0; index -= 1) {
    const item = chat.timeline[index];
    if (item !== undefined && isMessage(item) && item.fromBot && !item.isDeleted) yield item;
  }
  return undefined;
}

/** The message `messageId`, or else the newest one, if it has a keyboard. */
export function messageWithKeyboard(chat: Chat, messageId: number | undefined): StoredMessage | undefined {
  for (const message of botMessages(chat)) {
    const isWanted = messageId === undefined || message.message.message_id === messageId;
    if (isWanted && message.message.reply_markup !== undefined) return message;
  }
  return undefined;
}

function fileIdOf(message: Message): string | undefined {
  const { photo, video, video_note, animation, audio, voice, document } = message;
  return (photo?.at(-1) ?? video ?? video_note ?? animation ?? audio ?? voice ?? document)?.file_id;
}
