// Answers the question whether a payment may be taken. Telegram waits 10 s for it, so the instance that is asked
// answers at once, ACTIVE or not, and a worker only ends the stored update. There are no orders yet, so the
// answer is no: that is also the safe one, because nobody is charged.
import type { Api } from 'grammy';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Background } from '../telegram/background.ts';
import type { IncomingUpdate } from '../telegram/incoming.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import type { Texts } from '../ui/texts.ts';

export interface Checkout {
  /** Answers in the background if the update is such a question. Must be called in the span of the update. */
  answer(update: IncomingUpdate): void;
}

export interface CheckoutOptions {
  readonly api: Api;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly background: Background;
}

/** Telegram repeats an update whose acknowledgement it missed, but not after the question has expired. */
const repeatedWithinMs = 60_000;
const rememberedUpdates = 1_000;

export function createCheckout({ api, texts, telemetry, background }: CheckoutOptions): Checkout {
  const updates = createThrottle({ intervalMs: repeatedWithinMs, capacity: rememberedUpdates });

  async function decline(checkoutId: string, { locale }: IncomingUpdate): Promise<void> {
    const startedAt = Date.now();
    const text = texts.for(locale)('checkout-declined');
    const refusal = await refusedBy(api.answerPreCheckoutQuery(checkoutId, false, { error_message: text }));
    telemetry.emit('PRE_CHECKOUT', {
      result: refusal ? 'failed' : 'rejected',
      reason_code: refusal?.reason ?? 'UNKNOWN_ACTION',
      reason_detail: refusal?.detail ?? 'there are no orders yet',
      text,
      latency_ms: Date.now() - startedAt,
    });
  }

  return {
    answer(update) {
      const { checkoutId } = update;
      if (checkoutId === undefined || !updates.admits(update.updateId)) return;
      background.start('answer a checkout', () =>
        telemetry.inSpan('answer checkout', {}, () => decline(checkoutId, update)),
      );
    },
  };
}
