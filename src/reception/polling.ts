// Long polling as the source of updates. An offset is confirmed (by the next getUpdates) only after every update before
// it is stored, so an update that Telegram forgets is always in the inbox. While the inbox is full Telegram is asked all
// the same, and of what it shows the payments are stored, because a checkout waits for 10 s only; the rest stays where it
// is: it is not confirmed, and shown again.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, GrammyError } from 'grammy';
import type { Update } from 'grammy/types';
import { AppError } from '../errors.ts';
import type { InboxDepth } from '../inbox/inbox-depth.ts';
import type { Refusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { type IncomingUpdate, readIncoming } from '../telegram/incoming.ts';
import { allowedUpdates } from '../telegram/registration.ts';
import type { Intake } from './intake.ts';

export interface Polling {
  /** Ends the poll under way and waits until what it brought is stored and confirmed. */
  stop(): Promise<void>;
}

export interface PollingOptions {
  readonly api: Api;
  readonly intake: Intake;
  readonly depth: InboxDepth;
  readonly refusals: Refusals;
  readonly telemetry: Telemetry;
  /** A poll was refused with 409; `description` is Telegram's. */
  readonly onConflict: (description: string) => void;
  readonly timings?: Partial<PollingTimings>;
}

export interface PollingTimings {
  /** How long Telegram may keep a poll without an update. */
  readonly pollSeconds: number;
  /** How much later an answer must be there; after that the poll hangs. */
  readonly graceSeconds: number;
}

const defaultTimings: PollingTimings = { pollSeconds: 50, graceSeconds: 10 };
/** The most that Telegram gives. */
const batchLimit = 100;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Until a full inbox is looked at again. */
const fullPauseMs = 500;
/** Conflicts that are further apart have nothing to do with each other. */
const conflictMemoryMs = 60_000;

export function startPolling(options: PollingOptions): Polling {
  const { api, intake, depth, refusals, telemetry, onConflict } = options;
  const { pollSeconds, graceSeconds } = { ...defaultTimings, ...options.timings };
  const stopping = new AbortController();
  let offset = 0;
  /** Ids from the offset on that are stored already. */
  const stored = new Set<number>();

  async function poll(): Promise<void> {
    const updates = await ask();
    const toStore = await chooseFrom(updates);
    const results = await Promise.allSettled(toStore.map(take));
    confirm(updates);
    const failure = results.find(result => result.status === 'rejected');
    if (failure) throw failure.reason;
    if (toStore.length > 0 || updates.length === 0) return;
    refusals.refused('QUEUE_FULL', { queue_depth: depth.unfinished(), reason_code: 'RATE_LIMIT' }, 0);
    await sleep(fullPauseMs, undefined, { signal: stopping.signal });
  }

  async function ask(): Promise<readonly Update[]> {
    const limit = AbortSignal.timeout((pollSeconds + graceSeconds) * 1_000);
    // SAFETY: grammY types signals as its polyfill's; it only listens for `abort`.
    const signal = AbortSignal.any([stopping.signal, limit]) as unknown as Parameters<Api['getUpdates']>[1];
    try {
      return await api.getUpdates(
        { offset, limit: batchLimit, timeout: pollSeconds, allowed_updates: [...allowedUpdates] },
        signal,
      );
    } catch (cause) {
      if (!limit.aborted || stopping.signal.aborted) throw cause;
      throw new AppError({
        code: 'TIMEOUT',
        message: `A poll of ${pollSeconds} s had no answer after ${pollSeconds + graceSeconds} s`,
        cause,
      });
    }
  }

  /** Those that are to be stored now: payments always, of the others the oldest as far as there is room. */
  async function chooseFrom(updates: readonly Update[]): Promise<readonly IncomingBody[]> {
    const unstored = updates.filter(update => !stored.has(update.update_id)).flatMap(read);
    if (unstored.length === 0) return [];
    const room = await depth.room();
    // All that Telegram shows, and there may be a payment behind it: then the view is moved on, above the limit.
    const places = room === 0 && updates.length === batchLimit ? await depth.reserve() : room;
    const waiting = unstored.filter(({ incoming }) => !incoming.isPayment);
    const chosen = new Set(waiting.slice(0, places));
    return unstored.filter(update => update.incoming.isPayment || chosen.has(update));
  }

  async function take({ incoming, body }: IncomingBody): Promise<void> {
    await depth.add(() => intake.take(incoming, body, Date.now()));
    stored.add(incoming.updateId);
  }

  /** Up to the first one that is not stored. */
  function confirm(updates: readonly Update[]): void {
    for (const { update_id: id } of updates.toSorted((one, other) => one.update_id - other.update_id)) {
      if (!stored.delete(id)) return;
      offset = Math.max(offset, id + 1);
    }
  }

  async function loop(): Promise<void> {
    let pauseMs = 0;
    let conflictPauseMs = 0;
    let conflictAt = 0;
    while (!stopping.signal.aborted) {
      try {
        await poll();
        pauseMs = 0;
      } catch (error) {
        if (stopping.signal.aborted) break;
        if (isConflict(error)) {
          // Whoever polls at once again only takes turns with the other.
          if (Date.now() - conflictAt > conflictMemoryMs) conflictPauseMs = 0;
          conflictAt = Date.now();
          conflictPauseMs = longer(conflictPauseMs);
          onConflict(error.description);
        } else {
          pauseMs = longer(pauseMs);
          telemetry.warn('getUpdates', error);
        }
        const waitMs = isConflict(error) ? conflictPauseMs : pauseMs;
        await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    // A poll that is answered at once confirms what was stored since the last one.
    if (offset > 0) await api.getUpdates({ offset, limit: 1, timeout: 0 });
  }

  const done = loop();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

/** Of what is nested too deep to be written as text only its id is kept: it must not hold up all that comes after it. */
function textOf(update: Update): string {
  try {
    return JSON.stringify(update);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.stringify({ update_id: update.update_id });
  }
}

interface IncomingBody {
  readonly incoming: IncomingUpdate;
  readonly body: string;
}

/** Telegram's updates all have an id, so none is left out. */
function read(update: Update): readonly IncomingBody[] {
  const incoming = readIncoming(update);
  return incoming ? [{ incoming, body: textOf(update) }] : [];
}

function isConflict(error: unknown): error is GrammyError {
  return error instanceof GrammyError && error.error_code === 409;
}

function longer(pauseMs: number): number {
  return Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2));
}
