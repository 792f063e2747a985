// Owns the queries that wait for the bot's answer: callback queries (a pressed button) and pre-checkout queries.
// Promises that each can be answered once, within its lifetime on the sandbox's clock; an unknown, an answered and an
// expired one are refused with the same words, as Telegram does (Client.cpp 148).
// How long a callback query can be answered is decided by Telegram's servers and not documented: a knob.
import { badRequest } from './api-error.ts';

/** How a bot answered a pressed button. */
export interface CallbackAnswer {
  /** '' when the bot only ended the spinner. */
  readonly text: string;
  /** True: a window that the user must close; false: a toast. */
  readonly showAlert: boolean;
  readonly url: string;
  /** Seconds for which clients may answer the same button themselves. */
  readonly cacheTime: number;
  /** Milliseconds of the sandbox's clock. */
  readonly at: number;
}

export interface PendingQuery {
  readonly id: string;
  readonly chatId: number | undefined;
  readonly expiresAt: number;
  /** Called once, when the bot has answered. */
  readonly onAnswer: (answer: CallbackAnswer) => void;
}

export interface Queries {
  /** Opens a query under `id`, or under the next id when none is given; returns the id. */
  open(query: {
    readonly id?: string;
    readonly chatId: number | undefined;
    readonly lifetimeMs: number;
    readonly onAnswer: (answer: CallbackAnswer) => void;
  }): string;
  find(id: string): PendingQuery | undefined;
  /** Takes the query out. Throws 400 when it cannot be answered (any more). */
  take(id: string): PendingQuery;
}

/** Real ids are 64-bit numbers as text; this one is beyond what a JavaScript number can hold exactly. */
const FIRST_ID = 4_000_000_000_000_000_001n;

export function createQueries(now: () => number): Queries {
  /** In the order of opening, so that the oldest come first. */
  const pending = new Map<string, PendingQuery>();
  let nextId = FIRST_ID;

  /** Forgets unanswered queries that are over, so that a long load test does not pile them up. */
  function forgetExpired(): void {
    for (const query of pending.values()) {
      if (query.expiresAt >= now()) break;
      pending.delete(query.id);
    }
  }

  return {
    open({ id = String(nextId++), chatId, lifetimeMs, onAnswer }) {
      forgetExpired();
      pending.set(id, { id, chatId, expiresAt: now() + lifetimeMs, onAnswer });
      return id;
    },
    find: id => pending.get(id),
    take(id) {
      const query = pending.get(id);
      pending.delete(id);
      if (query === undefined || query.expiresAt < now()) {
        throw badRequest('query is too old and response timeout expired or query ID is invalid');
      }
      return query;
    },
  };
}
