// Owns what a person can send beside text: pictures, films, sounds and files, with the facts that Telegram states of
// each (size, length, type, name), alone or as an album. It turns them into the fields of a message.
// Files that are too large to be held are declared: their size is stated, and no bytes are needed.
// It does not compress: a photo keeps the bytes that the test gave.
import { createPng } from '../png.ts';
import type { MessageFields } from './chats.ts';
import type { FileKind, FileStore } from './file-store.ts';
import { isLonger } from './formatted-text.ts';
import { mediaFields } from './media.ts';
import { Parameters } from './parameters.ts';

export interface UserFileOptions {
  readonly caption?: string;
  readonly fileName?: string;
  readonly mimeType?: string;
  /** Seconds; of video and sound. */
  readonly duration?: number;
  /** Pixels; of videos. A photo has its own. */
  readonly width?: number;
  readonly height?: number;
  /** The tags of a sound. */
  readonly title?: string;
  readonly performer?: string;
  /** The size that Telegram states, where the file is to be larger than the bytes that are given. */
  readonly declaredBytes?: number;
}

export interface AlbumItem extends UserFileOptions {
  readonly kind: 'photo' | 'video' | 'audio' | 'document';
  /** Drawn or made up if not given. */
  readonly bytes?: Buffer;
}

const MAXIMUM_CAPTION_CHARACTERS = 1024;
const DEFAULT_PHOTO = { width: 64, height: 48, colour: [40, 120, 200] } as const;
/** What a client says of what it has recorded or chosen. */
const DEFAULT_TYPES: Readonly<Partial<Record<FileKind, string>>> = {
  video: 'video/mp4',
  animation: 'video/mp4',
  audio: 'audio/mpeg',
  voice: 'audio/ogg',
};

/** Stores the file and returns what the message shows of it. Throws for what a client would not send so. */
export function userFileFields(
  files: FileStore,
  kind: FileKind,
  given: Buffer | undefined,
  options: UserFileOptions,
): MessageFields {
  const { caption, fileName, declaredBytes, duration, width, height, title, performer } = options;
  if (caption !== undefined && isLonger(caption, MAXIMUM_CAPTION_CHARACTERS)) {
    throw new Error(`a client sends captions of at most ${MAXIMUM_CAPTION_CHARACTERS} characters`);
  }
  const mimeType = options.mimeType ?? DEFAULT_TYPES[kind];
  const file = files.add({ kind, bytes: given ?? madeUp(kind), declaredBytes, fileName, mimeType });
  if (kind === 'photo' && file.imageSize === undefined) {
    throw new Error('neither PNG nor JPEG: a client sends it as a file');
  }
  const facts = new Parameters({ duration, width, height, title, performer });
  return { ...mediaFields(file, kind, facts), ...(caption === undefined ? {} : { caption }) };
}

/** A drawn picture, or bytes of the kind's name: nobody looks into video and sound here. */
function madeUp(kind: FileKind): Buffer {
  const { width, height, colour } = DEFAULT_PHOTO;
  return kind === 'photo' ? createPng(width, height, colour) : Buffer.from(kind);
}
