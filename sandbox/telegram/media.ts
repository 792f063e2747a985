// Owns the part of a Message that shows a file: which fields each kind has and what they say about the stored bytes.
// It does not analyse video and sound: width, height and duration are what the bot said, 0 if it said nothing.
import type { Message, PhotoSize } from 'grammy/types';
import type { FileKind, StoredFile } from './file-store.ts';
import { Parameters } from './parameters.ts';

/** The fields of a Message that a file fills. */
export type MediaFields = Partial<
  Pick<
    Message,
    'photo' | 'video' | 'video_note' | 'audio' | 'voice' | 'animation' | 'document' | 'has_media_spoiler'
  >
>;

const NOTHING_SAID = new Parameters({});

/** Builds the fields; `parameters` are the arguments beside the file (duration, width, height, title …). */
export function mediaFields(file: StoredFile, kind: FileKind, parameters = NOTHING_SAID): MediaFields {
  const mimeType = file.mimeType === undefined ? {} : { mime_type: file.mimeType };
  const name = file.fileName === undefined ? {} : { file_name: file.fileName };
  const common = { file_id: file.fileId, file_unique_id: file.fileUniqueId, file_size: file.size };
  const named = { ...common, ...name, ...mimeType };
  const duration = parameters.integer('duration', 0, 0);
  const size = { width: parameters.integer('width', 0, 0), height: parameters.integer('height', 0, 0) };
  const spoiler = parameters.flag('has_spoiler') ? { has_media_spoiler: true as const } : {};
  switch (kind) {
    case 'photo':
      return { photo: photoSizes(file), ...spoiler };
    case 'video':
      return { video: { ...named, ...size, duration }, ...spoiler };
    case 'video_note':
      // A square; `length` is its side.
      return { video_note: { ...common, length: parameters.integer('length', 240, 0), duration } };
    case 'animation':
      // The old field `document` is set too, as the documentation of Message.animation says.
      return { animation: { ...named, ...size, duration }, document: named, ...spoiler };
    case 'audio':
      return { audio: { ...named, ...texts(parameters, 'title', 'performer'), duration } };
    case 'voice':
      return { voice: { ...common, ...mimeType, duration } };
    case 'document':
      return { document: named };
  }
}

/** From the smallest to the largest, as Telegram orders them. */
function photoSizes(file: StoredFile): PhotoSize[] {
  const sizes = file.thumbnail === undefined ? [file] : [file.thumbnail, file];
  return sizes.map(({ fileId, fileUniqueId, imageSize, size }) => ({
    file_id: fileId,
    file_unique_id: fileUniqueId,
    width: imageSize?.width ?? 0,
    height: imageSize?.height ?? 0,
    file_size: size,
  }));
}

function texts(parameters: Parameters, ...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.filter(name => parameters.has(name)).map(name => [name, parameters.text(name)]),
  );
}
