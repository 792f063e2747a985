// Owns how a chat looks: each message as it is shown now, with its keyboard, and between them what the user did and
// what popped up, in the order in which it came. It is what a test compares and what an error of the sandbox prints.
// Deleted messages are not shown; an edited one stands at its old place with its new content.
import type { Message } from 'grammy/types';
import { type Chat, type ChatEvent, isMessage, type StoredMessage } from './chats.ts';
import type { FileKind } from './file-store.ts';

export type MessageKind = 'text' | FileKind;

/** A button as the user sees it. */
export interface ShownButton {
  readonly text: string;
  /** The callback data; undefined for a button that does something else. */
  readonly data?: string;
  /** Where a link button leads. */
  readonly url?: string;
  /** What a copy button copies. */
  readonly copyText?: string;
}

export type ShownKeyboard = readonly (readonly ShownButton[])[];

export interface TranscriptEntry {
  readonly from: 'user' | 'bot';
  readonly kind: MessageKind | ChatEvent['kind'];
  /** The text or caption; of a click the button's text, of a toast or alert its words. '' when there is none. */
  readonly text: string;
  readonly messageId?: number;
  readonly keyboard?: ShownKeyboard;
  /** The callback data of a click. */
  readonly data?: string;
  /** How often a message has been edited, if it has been. */
  readonly edits?: number;
}

/** What the chat shows now, oldest first. */
export function transcriptOf(chat: Chat): TranscriptEntry[] {
  return chat.timeline.flatMap((item): TranscriptEntry[] => {
    if (!isMessage(item)) return [item];
    return item.isDeleted ? [] : [messageEntry(item)];
  });
}

/** The transcript as lines for people. */
export function formatTranscript(entries: readonly TranscriptEntry[]): string {
  if (entries.length === 0) return '(the chat is empty)';
  return entries.map(formatEntry).join('\n');
}

/** What kind of message it is; an unknown one counts as a document. */
export function messageKind(message: Message): MessageKind {
  if (message.text !== undefined) return 'text';
  if (message.photo !== undefined) return 'photo';
  if (message.video !== undefined) return 'video';
  if (message.video_note !== undefined) return 'video_note';
  if (message.audio !== undefined) return 'audio';
  if (message.voice !== undefined) return 'voice';
  return message.animation === undefined ? 'document' : 'animation';
}

export function shownKeyboard(message: Message): ShownKeyboard {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  return rows.map(row =>
    row.map(button => ({
      text: button.text,
      ...('callback_data' in button ? { data: button.callback_data } : {}),
      ...('url' in button ? { url: button.url } : {}),
      ...('copy_text' in button ? { copyText: button.copy_text.text } : {}),
    })),
  );
}

export function shownText(message: Message): string {
  return message.text ?? message.caption ?? '';
}

function messageEntry({ message, fromBot, editCount }: StoredMessage): TranscriptEntry {
  const keyboard = shownKeyboard(message);
  return {
    from: fromBot ? 'bot' : 'user',
    kind: messageKind(message),
    text: shownText(message),
    messageId: message.message_id,
    ...(keyboard.length === 0 ? {} : { keyboard }),
    ...(editCount === 0 ? {} : { edits: editCount }),
  };
}

function formatEntry(entry: TranscriptEntry): string {
  const id = entry.messageId === undefined ? '' : ` #${entry.messageId}`;
  const data = entry.data === undefined ? '' : ` (${entry.data})`;
  const edits = entry.edits === undefined ? '' : ` (edited ${entry.edits}×)`;
  const rows = (entry.keyboard ?? []).map(row => `    ${row.map(formatButton).join(' ')}`);
  return [`${entry.from} ${entry.kind}${id}${edits}: ${entry.text}${data}`, ...rows].join('\n');
}

function formatButton({ text, data, url, copyText }: ShownButton): string {
  const action = data ?? url ?? (copyText === undefined ? 'other' : `copies ${copyText}`);
  return `[${text} → ${action}]`;
}
