// Owns what a text or caption must be before Telegram takes it: parsed by its parse mode, trimmed, not empty, not too
// long *after* parsing. Lengths count characters (code points), entity offsets count UTF-16 code units.
// Of the parse modes only HTML is built; the two Markdowns are reported as not implemented instead of passing through.
// Sources: Client.cpp get_formatted_text and get_input_message_text, MessageContent.cpp; edits: reported.
import type { MessageEntity } from 'grammy/types';
import { badRequest } from './api-error.ts';
import { type ParsedText, parseHtml, sortEntities } from './html.ts';
import { isJsonObject, type Parameters } from './parameters.ts';

const MAXIMUM_TEXT_CHARACTERS = 4096;
const MAXIMUM_CAPTION_CHARACTERS = 1024;
const MAXIMUM_SOURCE_BYTES = 32_768;

/** Sends and edits refuse too long a text with different words: only sends go through TDLib's translation. */
export type TextPurpose = 'send' | 'edit';

/** A parse mode that exists but is not built here; the caller records it as a gap of the sandbox. */
export class UnsupportedParseModeError extends Error {}

/** Reads `text`, `parse_mode` and `entities`. */
export function readMessageText(parameters: Parameters, purpose: TextPurpose): ParsedText {
  if (!parameters.has('text')) throw badRequest('message text is empty');
  const parsed = readFormatted(parameters, 'text', 'entities');
  if (parsed.text === '') throw badRequest('text must be non-empty');
  if (isLonger(parsed.text, MAXIMUM_TEXT_CHARACTERS)) {
    throw badRequest(purpose === 'send' ? 'message is too long' : 'MESSAGE_TOO_LONG');
  }
  return parsed;
}

/** Reads `caption`, `parse_mode` and `caption_entities`; a caption may be empty. */
export function readCaption(parameters: Parameters, purpose: TextPurpose): ParsedText {
  const parsed = readFormatted(parameters, 'caption', 'caption_entities');
  if (isLonger(parsed.text, MAXIMUM_CAPTION_CHARACTERS)) {
    throw badRequest(purpose === 'send' ? 'message caption is too long' : 'MEDIA_CAPTION_TOO_LONG');
  }
  return parsed;
}

/** Whether a text has more than `limit` characters; only texts that might be are counted. */
export function isLonger(text: string, limit: number): boolean {
  return text.length > limit && [...text].length > limit;
}

function readFormatted(parameters: Parameters, textName: string, entitiesName: string): ParsedText {
  const source = parameters.text(textName);
  if (source.length * 3 > MAXIMUM_SOURCE_BYTES && Buffer.byteLength(source) > MAXIMUM_SOURCE_BYTES) {
    throw badRequest('text is too long');
  }
  const parseMode = parameters.text('parse_mode').toLowerCase();
  if (source === '' || parseMode === '' || parseMode === 'none') {
    return trim({ text: source, entities: readEntities(parameters, entitiesName) });
  }
  if (parseMode === 'html') return trim(parseHtml(source));
  if (parseMode === 'markdown' || parseMode === 'markdownv2') throw new UnsupportedParseModeError(parseMode);
  throw badRequest('unsupported parse_mode');
}

function readEntities(parameters: Parameters, name: string): readonly MessageEntity[] {
  const value = parameters.json(name, 'entities');
  if (!Array.isArray(value)) return [];
  for (const entity of value) {
    if (!isJsonObject(entity)) throw badRequest("can't parse MessageEntity: expected an Object");
    if (!Number.isInteger(entity.offset) || !Number.isInteger(entity.length)) {
      throw badRequest('can\'t parse MessageEntity: Field "offset" and "length" must be of type Number');
    }
  }
  // SAFETY: each element has been checked to be an object with a place; the kinds are passed on as they came.
  return sortEntities(value as MessageEntity[]);
}

/** Cuts white space off the end, and off the beginning as far as no entity begins there. */
function trim(parsed: ParsedText): ParsedText {
  const end = parsed.text.trimEnd().length;
  const firstEntity = parsed.entities[0]?.offset ?? end;
  let begin = 0;
  while (begin < firstEntity && /[ \n]/.test(parsed.text.charAt(begin))) begin += 1;
  if (begin === 0 && end === parsed.text.length) return parsed;
  const entities = parsed.entities.flatMap(entity => {
    const length = Math.min(entity.offset + entity.length, end) - entity.offset;
    return length > 0 ? [{ ...entity, offset: entity.offset - begin, length }] : [];
  });
  return { text: parsed.text.slice(begin, Math.max(begin, end)), entities };
}
