// What an instance does for a user the moment an update arrives, besides storing it, whether it is ACTIVE or not:
// answers checkouts, refuses taps or sends notices while nobody works, and ends the spinner of taps that wait, also
// of those that a frozen instance had taken. All of it happens in the background: no acknowledgement waits for
// Telegram, and nothing here can fail an update.
import type { Inbox } from '../inbox/inbox.ts';
import type { Pseudonyms } from '../otel/privacy.ts';
import type { RefusedUpdateStore } from '../storage/refused-update-store.ts';
import type { WaitingUpdates } from '../storage/waiting-updates.ts';
import { createBackground } from './background.ts';
import { createCheckout } from './checkout.ts';
import type { IncomingUpdate } from './incoming.ts';
import { createPassive, type PassiveOptions } from './passive.ts';
import { startStuckTaps } from './stuck-taps.ts';
import { createTapToast } from './tap-toast.ts';
import { createWaitingTaps } from './waiting-taps.ts';

/** All but `picked` and `stop` must be called in the span of the update. */
export interface Reception {
  /** Before the update is stored: what cannot wait for that. */
  received(update: IncomingUpdate): void;
  /** Whether the update must be stored by `storeRefused` instead of the inbox. */
  refuses(update: IncomingUpdate): boolean;
  /** As the inbox stores an update, but with its outcome and for nobody to work. */
  readonly storeRefused: Inbox['store'];
  /** Once an update is stored that was not known before. `receivedAt` is in epoch milliseconds. */
  stored(update: IncomingUpdate, how: { readonly refused: boolean; readonly receivedAt: number }): void;
  /** An update is being worked here. */
  picked(updateId: number): void;
  /** Waits for what users are being told, for a moment at most. */
  stop(): Promise<void>;
}

export interface ReceptionOptions extends Omit<PassiveOptions, 'background'> {
  readonly refusedUpdates: RefusedUpdateStore;
  readonly waitingUpdates: WaitingUpdates;
  readonly pseudonyms: Pseudonyms;
}

/** Far more than there are connections to Telegram: what is above would wait until nobody looks any more. */
const capacity = 5_000;
const stopLimitMs = 3_000;

export function createReception(options: ReceptionOptions): Reception {
  const background = createBackground({ capacity, stopLimitMs, telemetry: options.telemetry });
  const parts = { ...options, background };
  const checkout = createCheckout(parts);
  const passive = createPassive(parts);
  const toast = createTapToast(parts);
  const taps = createWaitingTaps({ ...parts, toast });
  const stuckTaps = startStuckTaps({ ...parts, toast });

  return {
    received: update => checkout.answer(update),
    refuses: update => passive.refuses(update),
    storeRefused: async (update, tell) =>
      tell(!(await options.refusedUpdates.insert(update, 'PASSIVE_REJECT'))),
    stored(update, { refused, receivedAt }) {
      if (refused) passive.refuseTap(update);
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
