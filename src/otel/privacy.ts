// What keeps people and secrets out of telemetry: pseudonyms for ids, and the scrubbing of texts that
// may quote a secret. A plain hash of a Telegram id can be reversed by trying all ids, hence HMAC.
import { createHmac } from 'node:crypto';
import type { Secret } from '../secret.ts';

export interface Pseudonyms {
  /** 16 hex digits: all of them in the journal, the first 8 in lines and spans, where collisions are possible. */
  user(id: number): string;
  chat(id: number): string;
}

const digits = 16;
const lineDigits = 8;
/** Ids seen again within a burst need no second HMAC; the bound keeps memory flat. */
const cachedIds = 10_000;

export function createPseudonyms(secret: Secret): Pseudonyms {
  const key = secret.reveal();
  const pseudonymize = (kind: 'user' | 'chat'): ((id: number) => string) => {
    const known = new Map<number, string>();
    return id => {
      const cached = known.get(id);
      if (cached !== undefined) return cached;
      const digest = createHmac('sha256', key).update(`${kind}:${id}`).digest('hex').slice(0, digits);
      if (known.size >= cachedIds) known.clear();
      known.set(id, digest);
      return digest;
    };
  };
  return { user: pseudonymize('user'), chat: pseudonymize('chat') };
}

/** A pseudonym as it stands in lines and spans. */
export function shortPseudonym(pseudonym: string): string {
  return pseudonym.slice(0, lineDigits);
}

/** Shapes of secrets that third-party error texts quote: bot tokens in URLs, keys in headers, database URLs. */
const secretShapes: readonly [RegExp, string][] = [
  // grammY's HttpError.error.message and undici errors quote the URL, whose path holds the token.
  [/\b\d{3,}:[A-Za-z0-9_-]{20,}/g, '[token]'],
  [/\bbot\d+:[\w-]+/g, 'bot[token]'],
  [/\bBearer\s+[\w.~+/=-]+/gi, 'Bearer [secret]'],
  [/\b(postgres(?:ql)?:\/\/)[^\s@/]*@/gi, '$1[secret]@'],
];

export type Scrubber = (text: string) => string;

/** Replaces the given secrets wherever they stand, and everything that has the shape of one. */
export function createScrubber(secrets: readonly Secret[]): Scrubber {
  const values = secrets.map(secret => secret.reveal()).filter(value => value.length >= 6);
  return text => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, '[secret]');
    for (const [shape, replacement] of secretShapes) clean = clean.replace(shape, replacement);
    return clean;
  };
}

/** Stands for a text that a user wrote: only its length may be known. */
export function lengthOnly(text: string): string {
  return `text(${text.length})`;
}
