// What an instance does for a user the moment an update arrives, besides storing it, whether it is ACTIVE or not:
// answers checkouts, refuses taps or sends notices while nobody works or the chat has its share of the inbox, and ends
// the spinner of taps that wait, also of those that a frozen instance had taken. All of it happens in the background: no
// acknowledgement waits for Telegram, and nothing here can fail an update.
import type { Pseudonyms } from '../otel/privacy.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { WaitingUpdates } from '../storage/waiting-updates.ts';
import { createBackground } from './background.ts';
import { createCheckout } from './checkout.ts';
import { createFlood } from './flood.ts';
import type { IncomingUpdate } from './incoming.ts';
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
  /** An update is being worked here. */
  picked(updateId: number): void;
  /** Waits for what users are being told, for a moment at most. */
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
const stopLimitMs = 3_000;

export function createReception(options: ReceptionOptions): Reception {
  const background = createBackground({ capacity, stopLimitMs, telemetry: options.telemetry });
  const parts = { ...options, background };
  const checkout = createCheckout(parts);
  const passive = createPassive(parts);
  const flood = createFlood(parts);
  const toast = createTapToast(parts);
  const taps = createWaitingTaps({ ...parts, toast });
  const stuckTaps = startStuckTaps({ ...parts, toast });

  return {
    received: update => checkout.answer(update),
    refusalOf: update => (passive.refuses(update) ? 'PASSIVE_REJECT' : undefined),
    stored(update, { refusal, receivedAt }) {
      if (refusal === 'RATE_LIMIT') flood.refuse(update, receivedAt);
      else if (refusal) passive.refuseTap(update);
      else if (update.callbackId === undefined) passive.notify(update);
      else taps.watch(update, receivedAt);
    },
    picked: updateId => taps.picked(updateId),
    async stop() {
      taps.stop();
      stuckTaps.stop();
      await background.stop();
    },
  };
}
