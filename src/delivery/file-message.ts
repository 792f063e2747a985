// The method of the Bot API that fits the media of a file, and the file_id that Telegram gives it.
import type { Api, InlineKeyboard, InputFile } from 'grammy';
import type { InputMediaAudio, InputMediaPhoto, InputMediaVideo, Message } from 'grammy/types';
import type { ResultMedia } from './result-file.ts';

/** What is sent along with a file. */
export interface Accompaniment {
  readonly chatId: number;
  /** Players show it instead of the file name. */
  readonly title: string;
  /** Telegram HTML. */
  readonly caption?: string;
  readonly keyboard?: InlineKeyboard;
}

/** What Telegram takes in one upload: core.telegram.org/bots/api#sending-files. */
export const maxUploadBytes = 50 * 1_048_576;
export const maxPhotoUploadBytes = 10 * 1_048_576;

/** `source` is a file_id, a URL that Telegram fetches itself, or the bytes. */
export function sendAs(
  media: ResultMedia,
  api: Api,
  source: string | InputFile,
  { chatId, title, caption, keyboard }: Accompaniment,
): Promise<Message> {
  const common = {
    ...(caption === undefined ? {} : { caption, parse_mode: 'HTML' as const }),
    ...(keyboard === undefined ? {} : { reply_markup: keyboard }),
  };
  switch (media) {
    case 'image':
      return api.sendPhoto(chatId, source, common);
    case 'video':
      return api.sendVideo(chatId, source, { ...common, supports_streaming: true });
    case 'audio':
      return api.sendAudio(chatId, source, { ...common, title });
    case 'file':
      // Otherwise Telegram shows a film as a film and not as a document.
      return api.sendDocument(chatId, source, { ...common, disable_content_type_detection: true });
  }
}

/** Kinds that travel in albums. */
export type AlbumMedia = Exclude<ResultMedia, 'file'>;

export function albumItem(
  media: AlbumMedia,
  source: string | InputFile,
  title: string,
): InputMediaPhoto | InputMediaVideo | InputMediaAudio {
  switch (media) {
    case 'image':
      return { type: 'photo', media: source };
    case 'video':
      return { type: 'video', media: source, supports_streaming: true };
    case 'audio':
      return { type: 'audio', media: source, title };
  }
}

/** Telegram may turn a file into another kind than it was sent as. */
export function fileIdOf({ photo, video, animation, audio, voice, document }: Message): string | undefined {
  return (photo?.at(-1) ?? video ?? animation ?? audio ?? voice ?? document)?.file_id;
}
