// Owns the updates that the bot has not confirmed yet: their ids, their order, which kinds the bot wants, how long each
// one is worth delivering, and which of them must wait for each other (the lane).
// Promises that each update gets the next id, and that `allowed_updates` counts at the moment of creation and stays as
// it is until it is set again, for getUpdates and setWebhook alike.
// It does not deliver: long-poll.ts and webhook-delivery.ts take from it. Source: Client.cpp add_update…, 16900–17310.
import type { Update } from 'grammy/types';

export type UpdateKind = Exclude<keyof Update, 'update_id'>;

export interface QueuedUpdate {
  readonly update: Update;
  readonly kind: string;
  /** At most one update of a lane is under way to a webhook; the next one waits until it is accepted or given up. */
  readonly lane: string;
  /** Milliseconds of the sandbox's clock. */
  readonly expiresAt: number;
  /**
   * A second copy, or an update with an id of its own choosing: the offset of getUpdates may have passed its id before
   * it was ever handed out, so it counts as confirmed only afterwards.
   */
  readonly isIrregular: boolean;
  wasHandedOut: boolean;
}

export interface UpdateQueue {
  /** The number of updates that are waiting or under way, expired ones that nobody has met yet included. */
  readonly size: number;
  /** Whether no update is waiting or under way. */
  readonly isEmpty: boolean;
  /** The kinds that were asked for, or undefined for the default. */
  readonly allowed: readonly string[] | undefined;
  /** Sets the kinds that will be created; undefined changes nothing, an empty list restores the default. */
  allow(kinds: readonly string[] | undefined): void;
  /** Adds an update of `kind`; it still gets an id when the bot does not want the kind, but is not queued. */
  add<K extends UpdateKind>(
    kind: K,
    content: NonNullable<Update[K]>,
    lane: string,
  ): { update: Update; isQueued: boolean };
  /** Adds any object, whatever its kind, under its own update_id or else the next one. */
  addRaw(update: Readonly<Record<string, unknown>>, lane: string | undefined): Update;
  /** The next update is queued twice. */
  duplicateNext(): void;
  /** The waiting updates, oldest first. Those that have expired are dropped on the way. */
  [Symbol.iterator](): Iterator<QueuedUpdate>;
  has(entry: QueuedUpdate): boolean;
  remove(entry: QueuedUpdate): void;
  clear(): void;
  /** Calls `listener` for each update that is queued from now on; returns the way to end it. */
  subscribe(listener: (entry: QueuedUpdate) => void): () => void;
}

/** Not sent unless asked for by name (core.telegram.org/bots/api#getupdates). */
const NOT_BY_DEFAULT: ReadonlySet<string> = new Set([
  'chat_member',
  'message_reaction',
  'message_reaction_count',
]);
const DAY_MS = 86_400_000;
const QUERY_LIFETIME_MS = 150_000;
const QUERY_KINDS: ReadonlySet<string> = new Set(['callback_query', 'shipping_query', 'pre_checkout_query']);
const FIRST_UPDATE_ID = 100_000_001;

export function createUpdateQueue(now: () => number): UpdateQueue {
  const entries = new Set<QueuedUpdate>();
  const listeners = new Set<(entry: QueuedUpdate) => void>();
  let nextId = FIRST_UPDATE_ID;
  let copies = 1;
  let allowed: ReadonlySet<string> | undefined;

  function push(update: Update, lane: string | undefined, isIrregular: boolean): void {
    const kind = Object.keys(update).find(key => key !== 'update_id') ?? 'nothing';
    const lifetimeMs = QUERY_KINDS.has(kind) ? QUERY_LIFETIME_MS : DAY_MS;
    const expiresAt = now() + lifetimeMs;
    for (let copy = 0; copy < copies; copy += 1) {
      const entry = {
        update,
        kind,
        lane: lane ?? `update:${update.update_id}`,
        expiresAt,
        isIrregular: isIrregular || copy > 0,
        wasHandedOut: false,
      };
      entries.add(entry);
      for (const listener of listeners) listener(entry);
    }
    copies = 1;
  }

  function* alive(): Generator<QueuedUpdate> {
    for (const entry of entries) {
      if (entry.expiresAt > now()) yield entry;
      else entries.delete(entry);
    }
  }

  return {
    get size() {
      return entries.size;
    },
    get isEmpty() {
      return alive().next().done === true;
    },
    get allowed() {
      return allowed === undefined ? undefined : [...allowed];
    },
    allow(kinds) {
      if (kinds === undefined) return;
      allowed = kinds.length === 0 ? undefined : new Set(kinds.map(kind => kind.toLowerCase()));
    },
    add(kind, content, lane) {
      const update: Update = { update_id: nextId, [kind]: content };
      nextId += 1;
      const isQueued = allowed === undefined ? !NOT_BY_DEFAULT.has(kind) : allowed.has(kind);
      if (isQueued) push(update, lane, false);
      return { update, isQueued };
    },
    addRaw(content, lane) {
      const ownId = content.update_id;
      const update: Update = { ...content, update_id: typeof ownId === 'number' ? ownId : nextId };
      const isIrregular = update.update_id < nextId;
      nextId = Math.max(nextId, update.update_id + 1);
      push(update, lane, isIrregular);
      return update;
    },
    duplicateNext() {
      copies = 2;
    },
    [Symbol.iterator]: alive,
    has: entry => entries.has(entry),
    remove(entry) {
      entries.delete(entry);
    },
    clear() {
      entries.clear();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
