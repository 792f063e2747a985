// Owns what makes an album: how many files it has, which kinds go together, and the id that its messages share. The
// same rules hold for bots and for people.
// Source: core.telegram.org/bots/api#sendmediagroup, Client.cpp get_input_message_contents.
import { badRequest } from './api-error.ts';

const MINIMUM_ALBUM = 2;
const MAXIMUM_ALBUM = 10;
/** These fill an album alone; photos and videos mix. */
const HOMOGENEOUS_KINDS: readonly unknown[] = ['audio', 'document'];
const FIRST_ALBUM_ID = 13_000_000_000_000_001n;

export interface AlbumIds {
  next(): string;
}

export function createAlbumIds(): AlbumIds {
  let nextId = FIRST_ALBUM_ID;
  return {
    next() {
      const id = String(nextId);
      nextId += 1n;
      return id;
    },
  };
}

/** Throws 400 with Telegram's words for too few or too many items and for kinds that do not go together. */
export function assertAlbum(items: readonly { readonly kind: unknown }[]): void {
  if (items.length === 0) throw badRequest('there are no messages to send');
  // Telegram's own server takes a single item as well; the documentation asks for 2–10.
  if (items.length < MINIMUM_ALBUM) throw badRequest('too few messages to send as an album');
  if (items.length > MAXIMUM_ALBUM) throw badRequest('too many messages to send as an album');
  const kinds = new Set(items.map(({ kind }) => kind));
  if (kinds.has('animation')) {
    throw badRequest('can\'t parse InputMedia: type "animation" can\'t be used in sendMediaGroup');
  }
  const alone = HOMOGENEOUS_KINDS.find(kind => kinds.has(kind));
  if (alone !== undefined && kinds.size > 1)
    throw badRequest(`${String(alone)} can't be mixed with other media types`);
}
