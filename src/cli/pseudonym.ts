// Which user is meant: the pseudonym itself, a name, or the number that Telegram gives a user. Names and numbers become
// the pseudonym with the bot's own HASH_SECRET; neither is printed.
import { AppError } from '../errors.ts';
import { createPseudonyms } from '../otel/pseudonyms.ts';
import { Secret } from '../secret.ts';
import type { UserStore } from '../storage/user-store.ts';
import { type Terminal, UsageError } from './command.ts';

/** Throws UsageError for what is neither a pseudonym (8 or 16 hex digits) nor @name nor a number. */
export function checkWho(who: string): string {
  if (!isHash(who) && !isNumber(who) && !isName(who))
    throw new UsageError(`${who} is no user: give a user_hash (8 or 16 hex digits), @name or a Telegram id`);
  return who;
}

/**
 * The pseudonyms that may be meant, the likeliest first; none for a name that the bot has not seen. Eight digits are a
 * number or the beginning of a pseudonym. Throws AppError CONFIG_INVALID where HASH_SECRET is needed and not set.
 */
export async function userHashesOf(
  who: string,
  { environment }: Pick<Terminal, 'environment'>,
  users: UserStore,
): Promise<readonly string[]> {
  const secret = environment.HASH_SECRET;
  const hashes = isHash(who) ? [who.toLowerCase()] : [];
  if (hashes.length > 0 && (!isNumber(who) || !secret)) return hashes;
  if (!secret) {
    throw new AppError({
      code: 'CONFIG_INVALID',
      message: 'HASH_SECRET is not set: names and numbers need the one that the bot runs with.',
    });
  }
  const id = isNumber(who) ? Number(who) : await users.chatIdOf(who.slice(1));
  return id === undefined ? hashes : [createPseudonyms(new Secret(secret)).user(id), ...hashes];
}

const isHash = (who: string): boolean => /^([0-9a-f]{8}|[0-9a-f]{16})$/i.test(who);
const isNumber = (who: string): boolean => /^\d{1,15}$/.test(who);
const isName = (who: string): boolean => /^@\w{1,32}$/.test(who);
