// The only door of the local Bot API: a stand-in for api.telegram.org that a real Bot API client talks to over HTTP,
// and the users on the other side of it. See docs of the parts for what is enforced; in short: the errors, limits and
// delivery rules of the cloud Bot API for private chats, and its failures on demand.
// It does not emulate inline mode, topics, stickers, polls, payments by Stars and rate limits (a planned fault gives
// 429), and does not look into video and sound.

export type { BotMessage } from './bot-message.ts';
export type { ButtonChoice } from './button-choice.ts';
export type { ApiCall, CallFilter } from './call-journal.ts';
export type { Fault } from './faults.ts';
export type { UploadedFile } from './parameters.ts';
export type { CallbackAnswer } from './queries.ts';
export { startTelegramSandbox, type TelegramSandbox, type TelegramSandboxOptions } from './sandbox.ts';
export {
  formatTranscript,
  type MessageKind,
  type ShownButton,
  type ShownKeyboard,
  type TranscriptEntry,
} from './transcript.ts';
export type { CallbackClick, SandboxUser, SentUpdate, UserOptions, WaitOptions } from './user.ts';
export type { AlbumItem, UserFileOptions } from './user-files.ts';
