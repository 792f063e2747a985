// The stored update as it is sent once more: what its user did, by a user who does not exist. The person's ids and names
// are replaced by those of the stand-in, and the tapped message by the one that stands in its place there. What the user
// wrote stays: it is what is being replayed, and goes with the sandbox.
import type { Message } from 'grammy/types';
import { readIncoming } from '../../src/telegram/incoming.ts';

/** A message as Telegram hands it over, or what is left of one that is gone. */
export type TappedMessage =
  | Message
  | { readonly chat: object; readonly message_id: number; readonly date: 0 };

export interface Disguise {
  readonly userId: number;
  /** Undefined where no message was tapped. */
  readonly tapped: TappedMessage | undefined;
}

const names: ReadonlySet<string> = new Set(['first_name', 'last_name', 'username', 'title']);
const name = 'replay';

/** Without its number: whoever sends it gives it the next one. */
export function disguised(body: unknown, { userId, tapped }: Disguise): Record<string, unknown> {
  const known = readIncoming(body);
  const ids = new Set([known?.userId, known?.chatId].filter(id => id !== undefined && id > 0));

  function replaced(value: unknown, key = ''): unknown {
    if (typeof value === 'number') return ids.has(value) ? userId : value;
    if (typeof value === 'string') return names.has(key) ? name : value;
    if (Array.isArray(value)) return value.map(item => replaced(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([part, content]) => [part, replaced(content, part)]),
    );
  }

  const { update_id: _number, ...update } = Object(replaced(body));
  const callback = update.callback_query;
  if (tapped === undefined || typeof callback !== 'object') return update;
  return { ...update, callback_query: { ...callback, message: tapped } };
}
