// The key of a bot's advisory lock. Postgres takes two signed 32-bit integers; a hash spreads bots that share a
// database over all of them, where a plain id would collide with what other programs lock.
import { createHash } from 'node:crypto';

export interface LockKey {
  readonly high: number;
  readonly low: number;
}

/** `botId`: Telegram's number of the bot. The same key for the same bot, for ever. */
export function lockKeyOf(botId: number): LockKey {
  const digest = createHash('sha256').update(`trt instance lock ${botId}`).digest();
  return { high: digest.readInt32BE(0), low: digest.readInt32BE(4) };
}

/** The name of the lease that goes with the lock. */
export function lockLeaseOf(botId: number): string {
  return `active:${botId}`;
}
