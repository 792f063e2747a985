// Shows what a turn could not show, when the wait that Telegram asked for is over: once, and only if the user has not
// gone on. The lane does it between two updates (inbox/follow-ups.ts), so it never overtakes one. A sending that nobody
// answered for is made once more, because a screen twice is better than silence; before that Telegram is asked for
// something harmless, so that the one repetition is not spent on a dead line.
import type { Api } from 'grammy';
import type { FollowUp } from '../inbox/follow-up.ts';
import type { FollowUpCircumstances, FollowUpEnd } from '../inbox/follow-ups.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { OwedStore, Standing } from '../storage/owed-store.ts';
import { type Presented, present } from '../telegram/presenter.ts';
import { type Refusal, refusedBy } from '../telegram/refusal.ts';
import { nameOf, type OwedScreen, owedHorizonMs, owedScreenSchema } from './owed-screen.ts';

export interface OwedScreens {
  show(
    followUp: Extract<FollowUp, { kind: 'show' }>,
    circumstances: FollowUpCircumstances,
  ): Promise<FollowUpEnd>;
}

export interface OwedScreensOptions {
  readonly store: OwedStore;
  readonly api: Api;
  readonly messages: Pick<MessageStore, 'markBlocked'>;
  readonly telemetry: Pick<Telemetry, 'emit' | 'annotate'>;
}

/** Until a chat that is busy is looked at again. */
const busyPauseMs = 1_000;
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;
const maxUnheard = 2;
const sentTwice = 'it was sent twice, perhaps in vain';
const whyNot: Readonly<Record<Exclude<Standing, 'due' | 'chat_is_busy'>, ReasonCode>> = {
  too_late: 'DOWNSTREAM_TIMEOUT',
  user_has_blocked_the_bot: 'DOWNSTREAM_ERROR',
  user_has_gone_on: 'STATE_MISMATCH',
  generation_has_ended: 'STATE_MISMATCH',
};

export function createOwedScreens({ store, api, messages, telemetry }: OwedScreensOptions): OwedScreens {
  function drop(owed: OwedScreen, detail: string, reason: ReasonCode): 'done' {
    telemetry.emit('RENDER_DROPPED', {
      screen_id: nameOf(owed.screen),
      reason_code: reason,
      reason_detail: detail,
    });
    return 'done';
  }

  async function attempt(
    chatId: number,
    owed: OwedScreen,
    beforeSending: () => Promise<void>,
  ): Promise<Presented | Refusal> {
    let presented: Presented | undefined;
    const refusal = await refusedBy(
      (async () => {
        if (owed.unheard > 0) await api.sendChatAction(chatId, 'typing');
        presented = await present(api, chatId, owed.drawn, owed.place, beforeSending);
      })(),
    );
    if (refusal) return refusal;
    // SAFETY: without a refusal the call above has come to its end.
    return presented as Presented;
  }

  async function show(
    followUp: Extract<FollowUp, { kind: 'show' }>,
    { chatId, id, attempt: number }: FollowUpCircumstances,
  ): Promise<FollowUpEnd> {
    const owed = owedScreenSchema.parse(followUp.owed);
    const again = (unheard: number) => ({ ...followUp, owed: { ...owed, unheard } });
    const standing = await store.standing(id, owedHorizonMs);
    if (standing === 'chat_is_busy') return { waitMs: busyPauseMs };
    if (standing !== 'due') return drop(owed, standing.replaceAll('_', ' '), whyNot[standing]);
    // Whoever began the last sending did not live to store how it ended.
    if (owed.unheard >= maxUnheard) return drop(owed, sentTwice, 'DOWNSTREAM_TIMEOUT');
    let begun = owed.unheard;
    const ended = await attempt(chatId, owed, async () => {
      begun += 1;
      // Should this process die now, nobody knows whether it was sent.
      const { kind: _, ...data } = again(begun);
      await store.remember(id, data);
    });
    if ('messageId' in ended) {
      const { messageId, operation, buttonsCount } = ended;
      const { screen, record, session } = owed;
      await store.shown(id, { messageId, screen, record, session });
      telemetry.emit('UI_RENDER', {
        screen_id: nameOf(screen),
        operation,
        message_id: messageId,
        buttons_count: buttonsCount,
      });
      return 'done';
    }
    if (ended.blocked) await messages.markBlocked(chatId);
    if (!ended.retry) return drop(owed, ended.detail, ended.reason);
    const unheard = ended.unheard ? begun : owed.unheard;
    if (unheard >= maxUnheard) return drop(owed, `${ended.detail}; ${sentTwice}`, ended.reason);
    const pauseMs = Math.min(firstPauseMs * 2 ** (number - 1), longestPauseMs);
    return { again: again(unheard), delayMs: ended.retryAfterMs ?? pauseMs };
  }

  return {
    async show(followUp, circumstances) {
      try {
        return await show(followUp, circumstances);
      } catch (error) {
        // That the database was away ends nothing.
        if (circumstances.isLast && !isConnectionLost(error))
          telemetry.emit('RENDER_DROPPED', {
            screen_id: nameOf(owedScreenSchema.safeParse(followUp.owed).data?.screen),
            reason_code: 'INTERNAL_ERROR',
            reason_detail: `each of ${circumstances.attempt} attempts ended in a fault`,
          });
        throw error;
      }
    },
  };
}
