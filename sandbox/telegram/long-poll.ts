// Owns getUpdates: what an offset confirms, how a poll waits, and who is thrown out when two of them wait.
// Promises that a poll which can be answered at once displaces nobody; grammY's stop() relies on that.
// It leaves out two dampers of the real server, because they would only slow tests down: a repeated short poll is not
// held back for 3 s, and a second conflict within 3 s is not delayed. Source: Client.cpp 15700–15725, 16226–16420.
import type { Update } from 'grammy/types';
import { conflict } from './api-error.ts';
import type { Parameters } from './parameters.ts';
import type { QueuedUpdate, UpdateQueue } from './update-queue.ts';

export interface LongPoll {
  readonly isWaiting: boolean;
  /** Answers at once or when an update comes; `onDisconnect` is called when the client has gone. */
  poll(parameters: Parameters, onDisconnect: (listener: () => void) => void): Promise<Update[]>;
  /** Ends a waiting poll with 409 because a webhook is set. */
  endBySetWebhook(): void;
  /** Ends a waiting poll without updates. */
  stop(): void;
}

interface WaitingPoll {
  answer(): void;
  fail(description: string): void;
}

const MAXIMUM_LIMIT = 100;
const MAXIMUM_TIMEOUT_SECONDS = 50;
const OTHER_POLL = 'terminated by other getUpdates request; make sure that only one bot instance is running';

/** `onConfirmed` is called when updates have left the queue. */
export function createLongPoll(queue: UpdateQueue, onConfirmed: () => void): LongPoll {
  let waiting: WaitingPoll | undefined;
  const unsubscribe = queue.subscribe(() => {
    // Updates that are created together are answered together.
    if (waiting !== undefined) setImmediate(() => waiting?.answer());
  });

  function take(offset: number, limit: number): Update[] {
    const updates: Update[] = [];
    for (const entry of queue) {
      if (isConfirmed(entry, offset)) {
        queue.remove(entry);
        continue;
      }
      entry.wasHandedOut = true;
      updates.push(entry.update);
      if (updates.length === limit) break;
    }
    onConfirmed();
    return updates;
  }

  return {
    get isWaiting() {
      return waiting !== undefined;
    },
    poll(parameters, onDisconnect) {
      const offset = parameters.integer('offset', 0);
      const limit = parameters.integer('limit', MAXIMUM_LIMIT, 1, MAXIMUM_LIMIT);
      const timeoutSeconds = parameters.integer('timeout', 0, 0, MAXIMUM_TIMEOUT_SECONDS);
      if (offset < 0) keepNewest(queue, -offset);
      const updates = take(Math.max(0, offset), limit);
      if (updates.length > 0 || timeoutSeconds === 0) return Promise.resolve(updates);
      waiting?.fail(OTHER_POLL);
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          if (waiting === poll) waiting = undefined;
        };
        const poll: WaitingPoll = {
          answer() {
            end();
            resolve(take(Math.max(0, offset), limit));
          },
          fail(description) {
            end();
            reject(conflict(description));
          },
        };
        const timer = setTimeout(poll.answer, timeoutSeconds * 1000);
        waiting = poll;
        onDisconnect(() => {
          end();
          resolve([]);
        });
      });
    },
    endBySetWebhook() {
      waiting?.fail('terminated by setWebhook request');
    },
    stop() {
      unsubscribe();
      waiting?.answer();
    },
  };
}

function isConfirmed(entry: QueuedUpdate, offset: number): boolean {
  return entry.update.update_id < offset && (entry.wasHandedOut || !entry.isIrregular);
}

/** A negative offset forgets all updates but the newest `count`. */
function keepNewest(queue: UpdateQueue, count: number): void {
  const entries = [...queue];
  for (const entry of entries.slice(0, Math.max(0, entries.length - count))) queue.remove(entry);
}
