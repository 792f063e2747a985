// Long polling as the source of updates. An offset is confirmed (by the next getUpdates) only after every
// update before it is stored, so an update that Telegram forgets is always in the inbox. While the inbox is full
// nothing is asked for: what has not come stays with Telegram.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from 'grammy';
import type { Update } from 'grammy/types';
import type { InboxDepth } from '../inbox/inbox-depth.ts';
import type { Refusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { readIncoming } from './incoming.ts';
import type { Intake } from './intake.ts';
import { allowedUpdates } from './registration.ts';

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
}

const pollSeconds = 50;
const batchLimit = 100;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Until a full inbox is looked at again. */
const fullPauseMs = 500;

export function startPolling(options: PollingOptions): Polling {
  const { api, intake, depth, refusals, telemetry } = options;
  const stopping = new AbortController();
  let offset = 0;

  async function poll(): Promise<void> {
    const room = await depth.room();
    if (room === 0) {
      refusals.refused('QUEUE_FULL', { queue_depth: depth.unfinished(), reason_code: 'RATE_LIMIT' }, 0);
      await sleep(fullPauseMs, undefined, { signal: stopping.signal });
      return;
    }
    // SAFETY: grammY types signals as its polyfill's; it only listens for `abort`.
    const signal = stopping.signal as unknown as Parameters<typeof api.getUpdates>[1];
    const updates = await api.getUpdates(
      {
        offset,
        limit: Math.min(batchLimit, room),
        timeout: pollSeconds,
        allowed_updates: [...allowedUpdates],
      },
      signal,
    );
    await Promise.all(updates.map(take));
    offset = updates.reduce((next, update) => Math.max(next, update.update_id + 1), offset);
  }

  async function take(update: Update): Promise<void> {
    const incoming = readIncoming(update);
    if (incoming) await depth.add(() => intake.take(incoming, textOf(update), Date.now()));
  }

  async function loop(): Promise<void> {
    let pauseMs = 0;
    while (!stopping.signal.aborted) {
      try {
        await poll();
        pauseMs = 0;
      } catch (error) {
        if (stopping.signal.aborted) break;
        pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2));
        telemetry.warn('getUpdates', error);
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
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
