// What an instance does for a user the moment an update arrives, besides storing it, whether it is ACTIVE or not:
// answers checkouts, refuses taps or sends notices while nobody works or the chat has its share of the inbox, and ends
// the spinner of taps that wait, also of those that a frozen instance had taken. It is done once for each update, also
// where it became known only by its repetition that an update is stored. All of it happens in the background: no
// acknowledgement waits for Telegram, and nothing here can fail an update.
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { KnownUpdate } from '../storage/update-store.ts';
import type { WaitingUpdates } from '../storage/waiting-updates.ts';
import { createBackground } from '../telegram/background.ts';
import { type IncomingUpdate, pseudonymsOf } from '../telegram/incoming.ts';
import { createThrottle } from '../telegram/throttle.ts';
import { createCheckout } from './checkout.ts';
import { createFlood } from './flood.ts';
import { createPassive, type PassiveOptions } from './passive.ts';
import { startStuckTaps } from './stuck-taps.ts';
import { createTapToast } from './tap-toast.ts';
import { createWaitingTaps } from './waiting-taps.ts';

/** All but `picked` and `stop` must be called in the span of the update. */
export interface Reception {
  /** Before the update is stored: what cannot wait for that. */
  received(update: IncomingUpdate): void;
  /** Why the update must be stored with its outcome, for nobody to work; undefined for nearly all. */
  refusalOf(update: IncomingUpdate): ReasonCode | undefined;
  /**
   * Once an update is stored that was not known before. `refusal`: why it was stored with its outcome; `receivedAt` is
   * in epoch milliseconds.
   */
  stored(
    update: IncomingUpdate,
    how: { readonly refusal: ReasonCode | undefined; readonly receivedAt: number },
  ): void;
  /**
   * Once an update has come again that was stored before. Where this instance has not heard of that, it does what there
   * is to do in the trace of the first.
   */
  storedBefore(update: IncomingUpdate, known: KnownUpdate): Promise<void>;
  /** An update is being worked here. */
  picked(updateId: number): void;
  /** Waits for notices that are on their way to users, for a moment at most. */
  stop(): Promise<void>;
}

export interface ReceptionOptions extends Omit<PassiveOptions, 'background'> {
  readonly waitingUpdates: WaitingUpdates;
  readonly pseudonyms: Pseudonyms;
  /** How many updates of a chat may wait. */
  readonly chatMax: number;
}

/** Far more than there are connections to Telegram: what is above would wait until nobody looks any more. */
const capacity = 5_000;
const floodCapacity = 20_000;
const stopLimitMs = 3_000;
/** Telegram repeats within moments what was not acknowledged. */
const rememberedMs = 10 * 60_000;
const rememberedUpdates = 50_000;

export function createReception(options: ReceptionOptions): Reception {
  const background = createBackground({ capacity, stopLimitMs, telemetry: options.telemetry });
  // What chats that flood are owed must not take the place of what everybody else is.
  const floodBackground = createBackground({
    capacity: floodCapacity,
    stopLimitMs,
    telemetry: options.telemetry,
  });
  const parts = { ...options, background };
  const checkout = createCheckout(parts);
  const passive = createPassive(parts);
  const flood = createFlood({ ...options, background: floodBackground });
  const toast = createTapToast(parts);
  const taps = createWaitingTaps({ ...parts, toast });
  const stuckTaps = startStuckTaps({ ...parts, toast });
  const { telemetry, pseudonyms } = options;
  /** By update id: here all has been done for these. */
  const served = createThrottle({ intervalMs: rememberedMs, capacity: rememberedUpdates });

  function serveRefused(update: IncomingUpdate, refusal: ReasonCode, receivedAt: number): void {
    if (refusal === 'RATE_LIMIT') flood.refuse(update, receivedAt);
    else passive.refuseTap(update);
  }

  function serveWaiting(update: IncomingUpdate, receivedAt: number): void {
    if (update.callbackId === undefined) passive.notify(update);
    else taps.watch(update, receivedAt);
  }

  return {
    received: update => checkout.answer(update),
    refusalOf: update => (passive.refuses(update) ? 'PASSIVE_REJECT' : undefined),
    stored(update, { refusal, receivedAt }) {
      served.admits(update.updateId);
      if (refusal) serveRefused(update, refusal, receivedAt);
      else serveWaiting(update, receivedAt);
    },
    async storedBefore(update, { traceparent, ageMs, hasEnded, refusal, isRefusedHere }) {
      if (!served.admits(update.updateId) || (hasEnded && !refusal)) return;
      const receivedAt = Date.now() - ageMs;
      const { eventType, updateId } = update;
      const fields = { event_type: eventType, update_id: updateId, ...pseudonymsOf(update, pseudonyms) };
      await telemetry.inSpan('update again', { traceparent, fields }, async () => {
        if (!refusal) serveWaiting(update, receivedAt);
        else if (isRefusedHere) serveRefused(update, refusal, receivedAt);
        // Another instance refused it and may have emitted its last events, and those are emitted once. A second answer
        // does no harm.
        else if (refusal === 'RATE_LIMIT') flood.answer(update);
        else passive.answerTap(update);
      });
    },
    picked: updateId => taps.picked(updateId),
    async stop() {
      taps.stop();
      stuckTaps.stop();
      flood.stop();
      await Promise.all([background.stop(), floodBackground.stop()]);
    },
  };
}
