// The answer to a tap that waits: "a few more seconds". It ends the spinner and nothing else; the tap is worked
// later all the same. Each tap gets it once from this instance, in the background, in the trace of its update.
import type { Api } from 'grammy';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Background } from '../telegram/background.ts';
import { type IncomingUpdate, pseudonymsOf } from '../telegram/incoming.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import type { Texts } from '../ui/texts.ts';

export interface WaitingTap {
  readonly update: IncomingUpdate;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly traceparent: string;
}

export interface TapToast {
  /** Answers the tap, unless it was answered here before. `cause` says in the event why it waits. */
  give(tap: WaitingTap, cause: string): void;
  /** The update ids of the taps that were answered lately. */
  given(): readonly number[];
}

export interface TapToastOptions {
  readonly api: Pick<Api, 'answerCallbackQuery'>;
  readonly texts: Texts;
  readonly telemetry: Pick<Telemetry, 'emit' | 'inSpan'>;
  readonly pseudonyms: Pseudonyms;
  readonly background: Background;
}

/** Longer than anybody looks back for taps that wait. */
const rememberedMs = 120_000;
const rememberedTaps = 20_000;

export function createTapToast(options: TapToastOptions): TapToast {
  const { api, texts, telemetry, pseudonyms, background } = options;
  const taps = createThrottle({ intervalMs: rememberedMs, capacity: rememberedTaps });

  async function answer({ update, receivedAt }: WaitingTap, cause: string): Promise<void> {
    const text = texts.for(update.locale)('tap-waiting');
    const refusal = await refusedBy(api.answerCallbackQuery(update.callbackId ?? '', { text }));
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: refusal?.detail ?? `${cause}; the tap is worked later`,
      latency_ms: Date.now() - receivedAt,
    });
  }

  return {
    give(tap, cause) {
      const { update, traceparent } = tap;
      if (!taps.admits(update.updateId)) return;
      const subject = {
        event_type: update.eventType,
        update_id: update.updateId,
        ...pseudonymsOf(update, pseudonyms),
      };
      background.start('answer a waiting tap', () =>
        telemetry.inSpan('answer waiting tap', { traceparent, fields: subject }, () => answer(tap, cause)),
      );
    },
    given: () => taps.admitted(),
  };
}
