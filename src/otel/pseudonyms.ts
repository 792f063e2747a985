// Pseudonyms stand for Telegram ids in telemetry. A plain hash of an id can be reversed by trying all ids, hence HMAC.
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
