// Owns the HTML parse mode: from marked-up text to plain text and entities whose offsets count UTF-16 code units.
// It promises the errors of TDLib (td/telegram/MessageEntity.cpp, parse_html), where positions count UTF-8 bytes of the
// text as it was sent: unknown, unclosed and crossing tags are errors, never text.
// It does not merge or split entities that overlap and does not look for links or commands in the text.
import type { MessageEntity } from 'grammy/types';
import { badRequest } from './api-error.ts';

export interface ParsedText {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

const SIMPLE_TAGS: Readonly<Record<string, MessageEntity.CommonMessageEntity['type']>> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  span: 'spoiler',
  'tg-spoiler': 'spoiler',
};
const OTHER_TAGS = ['a', 'code', 'pre', 'blockquote', 'tg-emoji'];
const SUPPORTED_TAGS: ReadonlySet<string> = new Set([...Object.keys(SIMPLE_TAGS), ...OTHER_TAGS]);

/** The four named references that Telegram knows; every other name stays as it was written. */
const NAMED_CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
/** `&name;`, `&#10;` or `&#x0a;` at the place where matching begins; the semicolon may be missing. */
const CHARACTER_REFERENCE = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));?/iy;
const LARGEST_CHARACTER = 0x10ffff;

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

interface OpenTag extends Tag {
  /** Where its content begins in the plain text. */
  readonly offset: number;
}

interface FoundEntity {
  readonly entity: MessageEntity;
  /** The language of a `code`, which counts only if it turns out to fill a `pre`. */
  readonly language?: string;
}

/** Parses `source`. Throws 400 `can't parse entities: …` where Telegram does. */
export function parseHtml(source: string): ParsedText {
  const open: OpenTag[] = [];
  const found: FoundEntity[] = [];
  let text = '';
  let position = 0;
  while (position < source.length) {
    const character = source.charAt(position);
    if (character === '&') {
      const reference = decodeReference(source, position);
      text += reference?.character ?? '&';
      position = reference?.end ?? position + 1;
    } else if (character !== '<') {
      const next = nextSpecial(source, position);
      text += source.slice(position, next);
      position = next;
    } else if (source.charAt(position + 1) === '/') {
      const last = open.pop();
      position = readEndTag(source, position, last);
      if (last !== undefined) addEntity(found, last, text);
    } else {
      const start = readStartTag(source, position);
      open.push({ ...start.tag, offset: text.length });
      position = start.end;
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) fail(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
  return { text, entities: sortEntities(found.map(({ entity }) => entity)) };
}

/** Outer entities come before inner ones, as Telegram returns them. */
export function sortEntities(entities: readonly MessageEntity[]): readonly MessageEntity[] {
  return entities.toSorted((left, right) => left.offset - right.offset || right.length - left.length);
}

function fail(description: string): never {
  throw badRequest(`can't parse entities: ${description}`);
}

/** Positions in errors count bytes of the whole text, not characters. */
function byteOffset(source: string, position: number): number {
  return Buffer.byteLength(source.slice(0, position), 'utf8');
}

function nextSpecial(source: string, from: number): number {
  for (let position = from; position < source.length; position += 1) {
    const character = source.charAt(position);
    if (character === '<' || character === '&') return position;
  }
  return source.length;
}

function decodeReference(source: string, position: number): { character: string; end: number } | undefined {
  CHARACTER_REFERENCE.lastIndex = position;
  const match = CHARACTER_REFERENCE.exec(source);
  if (match === null) return undefined;
  const [whole, hexadecimal, decimal, name] = match;
  const end = position + whole.length;
  if (name !== undefined) {
    const character = NAMED_CHARACTERS[name];
    return character === undefined ? undefined : { character, end };
  }
  const code =
    hexadecimal === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hexadecimal, 16);
  if (code === 0 || code >= LARGEST_CHARACTER) return undefined;
  return { character: String.fromCodePoint(code), end };
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

/** Reads `</name>` (or `</>`, which closes whatever is open) and returns the position behind it. */
function readEndTag(source: string, begin: number, open: OpenTag | undefined): number {
  if (open === undefined) return fail(`Unexpected end tag at byte offset ${byteOffset(source, begin)}`);
  let position = begin + 2;
  while (position < source.length && !isSpace(source.charAt(position)) && source.charAt(position) !== '>')
    position += 1;
  const name = source.slice(begin + 2, position).toLowerCase();
  while (isSpace(source.charAt(position))) position += 1;
  if (source.charAt(position) !== '>') fail(`Unclosed end tag at byte offset ${byteOffset(source, begin)}`);
  if (name !== '' && name !== open.name) {
    const offset = byteOffset(source, begin);
    fail(`Unmatched end tag at byte offset ${offset}, expected "</${open.name}>", found "</${name}>"`);
  }
  return position + 1;
}

function readStartTag(source: string, begin: number): { tag: Tag; end: number } {
  let position = begin + 1;
  while (position < source.length && !isSpace(source.charAt(position)) && source.charAt(position) !== '>')
    position += 1;
  if (position === source.length) fail(`Unclosed start tag at byte offset ${byteOffset(source, begin)}`);
  const name = source.slice(begin + 1, position).toLowerCase();
  if (!SUPPORTED_TAGS.has(name)) {
    fail(`Unsupported start tag "${name}" at byte offset ${byteOffset(source, begin)}`);
  }
  const attributes = new Map<string, string>();
  for (;;) {
    while (isSpace(source.charAt(position))) position += 1;
    if (source.charAt(position) === '>') break;
    const attribute = readAttribute(source, position, begin, name);
    attributes.set(attribute.name, attribute.value);
    position = attribute.end;
  }
  if (name === 'span' && attributes.get('class') !== 'tg-spoiler') {
    fail(`Tag "span" must have class "tg-spoiler" at byte offset ${byteOffset(source, begin)}`);
  }
  return { tag: { name, attributes }, end: position + 1 };
}

/** Reads `name`, `name=token`, `name="text"` or `name='text'`. An attribute without a value gets the value ''. */
function readAttribute(
  source: string,
  from: number,
  tagBegin: number,
  tagName: string,
): { name: string; value: string; end: number } {
  const unclosed = () =>
    fail(`Unclosed start tag "${tagName}" at byte offset ${byteOffset(source, tagBegin)}`);
  let position = from;
  while (position < source.length && !/[\s=>/"']/.test(source.charAt(position))) position += 1;
  const name = source.slice(from, position);
  if (position === source.length) unclosed();
  if (name === '') {
    fail(`Empty attribute name in the tag "${tagName}" at byte offset ${byteOffset(source, tagBegin)}`);
  }
  while (isSpace(source.charAt(position))) position += 1;
  if (position === source.length) unclosed();
  if (source.charAt(position) !== '=') return { name, value: '', end: position };
  position += 1;
  while (isSpace(source.charAt(position))) position += 1;
  if (position === source.length) unclosed();
  const quote = source.charAt(position);
  const value = quote === '"' || quote === "'" ? readQuoted(source, position) : readToken(source, position);
  if (value.end >= source.length) fail(`Unclosed start tag at byte offset ${byteOffset(source, tagBegin)}`);
  return { name, ...value };
}

function readToken(source: string, from: number): { value: string; end: number } {
  let end = from;
  while (/[a-z0-9.-]/i.test(source.charAt(end))) end += 1;
  if (end < source.length && !isSpace(source.charAt(end)) && source.charAt(end) !== '>') {
    fail(`Unexpected end of name token at byte offset ${byteOffset(source, from)}`);
  }
  return { value: source.slice(from, end).toLowerCase(), end };
}

function readQuoted(source: string, from: number): { value: string; end: number } {
  const quote = source.charAt(from);
  let value = '';
  let position = from + 1;
  while (position < source.length && source.charAt(position) !== quote) {
    const reference = source.charAt(position) === '&' ? decodeReference(source, position) : undefined;
    value += reference?.character ?? source.charAt(position);
    position = reference?.end ?? position + 1;
  }
  return { value, end: position + 1 };
}

function addEntity(found: FoundEntity[], tag: OpenTag, text: string): void {
  const place = { offset: tag.offset, length: text.length - tag.offset };
  if (place.length === 0) return;
  const simple = SIMPLE_TAGS[tag.name];
  if (simple !== undefined) {
    found.push({ entity: { type: simple, ...place } });
  } else if (tag.name === 'blockquote') {
    const type = tag.attributes.has('expandable') ? 'expandable_blockquote' : 'blockquote';
    found.push({ entity: { type, ...place } });
  } else if (tag.name === 'tg-emoji') {
    const identifier = tag.attributes.get('emoji-id') ?? '';
    if (!/^[1-9][0-9]*$/.test(identifier)) fail('Invalid custom emoji identifier specified');
    found.push({ entity: { type: 'custom_emoji', ...place, custom_emoji_id: identifier } });
  } else if (tag.name === 'a') {
    const url = checkedLink(tag.attributes.get('href') || text.slice(tag.offset));
    if (url !== undefined) found.push({ entity: { type: 'text_link', ...place, url } });
  } else {
    addCode(found, tag, place);
  }
}

/** A link that is no URL is dropped in silence: the text stays, the link does not. */
function checkedLink(href: string): string | undefined {
  const complete = /^[a-z][a-z0-9+.-]*:/i.test(href) ? href : `http://${href}`;
  if (!URL.canParse(complete)) return undefined;
  const url = new URL(complete);
  const isWeb = (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname.includes('.');
  return isWeb || url.protocol === 'tg:' ? url.href : undefined;
}

/** `<pre><code class="language-x">` is one entity with a language, in either order of nesting. */
function addCode(found: FoundEntity[], tag: OpenTag, place: { offset: number; length: number }): void {
  const last = found.at(-1);
  const inner =
    last?.entity.offset === place.offset && last.entity.length === place.length ? last : undefined;
  const language = /^language-(.+)$/.exec(tag.attributes.get('class') ?? '')?.[1];
  if (tag.name === 'pre') {
    const innerLanguage = inner?.entity.type === 'code' ? inner.language : undefined;
    if (innerLanguage !== undefined) found.pop();
    const entity = { type: 'pre' as const, ...place };
    found.push({ entity: innerLanguage === undefined ? entity : { ...entity, language: innerLanguage } });
  } else if (inner?.entity.type === 'pre' && language !== undefined) {
    found.pop();
    found.push({ entity: { type: 'pre', ...place, language } });
  } else {
    const entity = { type: 'code' as const, ...place };
    found.push(language === undefined ? { entity } : { entity, language });
  }
}
