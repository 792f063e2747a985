// What file a message of a user brings, if any: which kind of media it is to a model, and how it is found again. Pure.
import type { Message } from 'grammy/types';
import type { FileReference } from '../catalogue/values.ts';

export type IncomingMedia = 'image' | 'video' | 'audio' | 'other';

export interface IncomingFile {
  readonly media: IncomingMedia;
  readonly file: FileReference;
  /** Shared by the messages of one album. */
  readonly groupId?: string;
}

/** The facts that Telegram's kinds of files have in common. */
interface Attachment {
  readonly file_id: string;
  readonly file_size?: number;
  readonly mime_type?: string;
  readonly duration?: number;
}

/** undefined for messages without a file; stickers, which are not made to be worked on, count as none. */
export function incomingFileOf(message: Message): IncomingFile | undefined {
  const found = attachmentOf(message);
  if (!found) return undefined;
  const { media, attachment, mimeType = attachment.mime_type } = found;
  const file: FileReference = {
    from: 'telegram',
    fileId: attachment.file_id,
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(attachment.file_size === undefined ? {} : { bytes: attachment.file_size }),
    ...(attachment.duration === undefined ? {} : { seconds: attachment.duration }),
  };
  const { media_group_id: groupId } = message;
  return { media, file, ...(groupId === undefined ? {} : { groupId }) };
}

function attachmentOf({
  photo,
  animation,
  video,
  video_note,
  audio,
  voice,
  document,
}: Message): { media: IncomingMedia; attachment: Attachment; mimeType?: string } | undefined {
  // From the smallest to the largest; Telegram makes all of them JPEG.
  const largest = photo?.at(-1);
  if (largest) return { media: 'image', attachment: largest, mimeType: 'image/jpeg' };
  // An animation comes as a document as well, so it is looked at before.
  const film = animation ?? video;
  if (film) return { media: 'video', attachment: film };
  if (video_note) return { media: 'video', attachment: video_note, mimeType: 'video/mp4' };
  const sound = audio ?? voice;
  if (sound) return { media: 'audio', attachment: sound };
  return document && { media: mediaOfType(document.mime_type), attachment: document };
}

function mediaOfType(mimeType: string | undefined): IncomingMedia {
  const family = mimeType?.split('/')[0];
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'other';
}
