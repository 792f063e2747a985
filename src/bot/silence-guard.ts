// Catches the silence that no type can rule out:
// - a tap whose handler hangs is answered 5 s after its receipt, with the cid, and its handler goes on;
// - an update that a plugin kept for itself ends in a fault, and its user is notified;
// - a message whose turn has no word for its user gets one.
// Each is a SILENCE_GUARD_WARNING, because each is a defect. Taps that nobody has picked are not its business
// (waiting-taps.ts), nor errors that a handler catches and keeps to itself: nobody can see those.
import type { Conclusion } from '../inbox/lanes.ts';
import { reasons } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { waitingTapPatienceMs } from '../reception/waiting-taps.ts';
import { refusedBy } from '../telegram/refusal.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import { effectsOfNotice } from './effects.ts';
import type { FaultNotices } from './fault-notices.ts';
import { followUpsFor } from './owed-screen.ts';
import type { TurnConclusion } from './turn-conclusion.ts';

export interface SilenceGuard {
  /**
   * Answers the tap in its handler's place when nobody has begun to. To be called when the update is picked, in its
   * span; the result ends the watch.
   */
  watch(context: BotContext): () => void;
  /** Of a turn that has none. */
  conclude(context: BotContext): Promise<Conclusion>;
  /** The same conclusion; where the user has seen nothing, with what the guard has said instead. */
  check(context: BotContext, conclusion: TurnConclusion): Promise<Conclusion>;
}

export interface SilenceGuardOptions {
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly faults: FaultNotices;
  /** False: it neither watches nor warns nor speaks. */
  readonly enabled: boolean;
}

/** From the receipt of a tap. Telegram itself ends a spinner later than that. */
const patienceMs = 5_000;

export function createSilenceGuard(options: SilenceGuardOptions): SilenceGuard {
  const { texts, telemetry, faults, enabled } = options;

  async function answer(context: BotContext, latencyMs: number): Promise<boolean> {
    telemetry.emit('SILENCE_GUARD_WARNING', {
      detail_code: 'handler_slow',
      reason_detail: 'the tap has no answer, because its handler takes long; it goes on',
      latency_ms: latencyMs,
    });
    const text = texts.for(context.locale)('tap-slow', { cid: telemetry.cid() });
    const refusal = await refusedBy(context.answerCallbackQuery({ text }));
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: refusal?.detail ?? 'the handler takes long; the tap has its outcome later',
      latency_ms: latencyMs,
    });
    return refusal === undefined;
  }

  return {
    watch(context) {
      if (!enabled || !context.callbackQuery) return () => undefined;
      const receivedAt = context.picked.receivedAt.getTime();
      const waitedMs = Math.max(0, Date.now() - receivedAt);
      // A tap that was picked later has had its answer for waiting.
      const dueMs = waitedMs < waitingTapPatienceMs ? patienceMs - waitedMs : patienceMs;
      const timer = setTimeout(() => {
        context.tapAnswer?.giveInstead(() =>
          answer(context, Date.now() - receivedAt).catch((error: unknown) => {
            telemetry.warn('answer a tap for its handler', error);
            return false;
          }),
        );
      }, dueMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    async conclude(context) {
      if (enabled)
        telemetry.emit('SILENCE_GUARD_WARNING', {
          detail_code: 'no_conclusion',
          reason_detail: `a ${context.picked.eventType} ended without a conclusion`,
        });
      const written = enabled ? await faults.notify(context) : {};
      return {
        result: 'failed',
        reason: 'INTERNAL_ERROR',
        error: new Error('The update ended without a conclusion'),
        followUps: followUpsFor(written.owed),
      };
    },
    async check(context, { isSilent, ...conclusion }) {
      if (!enabled || !isSilent) return conclusion;
      const text = `${reasons.NOOP.text[context.locale]} (${telemetry.cid()})`;
      const written = await faults.write(context, text);
      const { refusal } = written;
      const notified = refusal ? `the user could not be told: ${refusal.detail}` : 'the user was told so';
      telemetry.emit('SILENCE_GUARD_WARNING', {
        detail_code: 'says_nothing',
        reason_detail: `the conclusion of a ${context.picked.eventType} says nothing to its user; ${notified}`,
      });
      return {
        ...conclusion,
        effects: conclusion.effects && { ...conclusion.effects, ...effectsOfNotice(written) },
        followUps: [...(conclusion.followUps ?? []), ...followUpsFor(written.owed)],
      };
    },
  };
}
