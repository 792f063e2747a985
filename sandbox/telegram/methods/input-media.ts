// Owns the reading of an InputMedia object, of which an album has several and editMessageMedia one.
import { assertAlbum } from '../album.ts';
import { ApiError, badRequest } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import type { MessageFields } from '../chats.ts';
import type { FileKind } from '../file-store.ts';
import { readCaption, type TextPurpose } from '../formatted-text.ts';
import { readInputFile } from '../input-file.ts';
import { mediaFields } from '../media.ts';
import { isJsonObject, type Parameters } from '../parameters.ts';
import { captionFields } from './outgoing.ts';

const MEDIA_KINDS: readonly FileKind[] = ['photo', 'video', 'audio', 'animation', 'document'];

/** Reads the argument `media` of editMessageMedia. */
export async function readInputMedia(
  state: BotState,
  parameters: Parameters,
  purpose: TextPurpose,
): Promise<MessageFields> {
  parameters.requiredText('media');
  const value = parameters.json('media', 'input media');
  return readItem(state, parameters, value, purpose);
}

/** Reads the argument `media` of sendMediaGroup; all files are stored before the first message is sent. */
export async function readAlbum(state: BotState, parameters: Parameters): Promise<MessageFields[]> {
  parameters.requiredText('media');
  const items = parameters.json('media', 'media');
  if (!Array.isArray(items)) throw badRequest('expected an Array of InputMedia');
  assertAlbum(items.map(item => ({ kind: isJsonObject(item) ? item.type : undefined })));
  return Promise.all(items.map((item, index) => readAlbumItem(state, parameters, item, index + 1)));
}

async function readAlbumItem(
  state: BotState,
  parameters: Parameters,
  item: unknown,
  number: number,
): Promise<MessageFields> {
  try {
    return await readItem(state, parameters, item, 'send');
  } catch (error) {
    const cause = error instanceof ApiError ? ALBUM_CAUSES.get(error.message) : undefined;
    if (cause === undefined) throw error;
    throw badRequest(`failed to send message #${number} with the error message "${cause}"`);
  }
}

/** Failures of one file are answered in the servers' own words when the file is part of an album. */
const ALBUM_CAUSES: ReadonlyMap<string, string> = new Map([
  ['Bad Request: failed to get HTTP URL content', 'WEBPAGE_CURL_FAILED'],
  ['Bad Request: wrong type of the web page content', 'WEBPAGE_MEDIA_EMPTY'],
  ['Bad Request: wrong file identifier/HTTP URL specified', 'MEDIA_EMPTY'],
  ['Bad Request: IMAGE_PROCESS_FAILED', 'IMAGE_PROCESS_FAILED'],
  ['Bad Request: PHOTO_INVALID_DIMENSIONS', 'PHOTO_INVALID_DIMENSIONS'],
]);

async function readItem(
  state: BotState,
  parameters: Parameters,
  value: unknown,
  purpose: TextPurpose,
): Promise<MessageFields> {
  if (!isJsonObject(value)) throw badMedia('expected an Object');
  const item = parameters.nested(value);
  const caption = readCaption(item, purpose);
  const type = item.text('type');
  const kind = MEDIA_KINDS.find(known => known === type);
  if (kind === undefined) throw badMedia(`type "${type}" is unsupported`);
  const missing = "can't parse InputMedia: media not found";
  const file = await readInputFile({ parameters: item, field: 'media', kind, files: state.files, missing });
  return { ...mediaFields(file, kind, item), ...captionFields(caption, item) };
}

function badMedia(description: string): ApiError {
  return badRequest(`can't parse InputMedia: ${description}`);
}
