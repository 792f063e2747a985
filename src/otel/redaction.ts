// What keeps secrets and users' words out of telemetry.
import type { Secret } from '../secret.ts';

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
