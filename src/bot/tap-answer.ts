// The answer to a tap. Telegram takes one, so whoever answers does it here: the turn, with what came of it; or the
// silence guard in its place, when the turn has not begun to answer in time.
import type { Context } from 'grammy';
import { type Refusal, refusedBy } from '../telegram/refusal.ts';

export interface TapAnswerContent {
  readonly text?: string;
  readonly show_alert?: boolean;
}

/** `guard`: the silence guard's answer was taken, and this one was not given. */
export type GivenAnswer = { readonly by: 'guard' } | { readonly by: 'turn'; readonly refusal?: Refusal };

export interface TapAnswer {
  /**
   * Answers, unless an answer was taken already. From now on the guard keeps quiet. Throws only what did not come from
   * the Bot API.
   */
  give(content: TapAnswerContent): Promise<GivenAnswer>;
  /**
   * For the guard: false, and nothing is done, when the turn has begun to answer. `answer` resolves to whether it was
   * taken, and never rejects.
   */
  giveInstead(answer: () => Promise<boolean>): boolean;
  /** Resolves when no answer of the guard is under way. */
  settled(): Promise<void>;
}

export function createTapAnswer(answer: Context['answerCallbackQuery']): TapAnswer {
  let isBegun = false;
  let isTaken = false;
  let guardAnswer: Promise<boolean> | undefined;

  return {
    async give(content) {
      isBegun = true;
      // Without a guard's answer nothing is waited for: the call is on its way before the screen's.
      if (guardAnswer && (await guardAnswer)) return { by: 'guard' };
      if (isTaken) return { by: 'turn' };
      const refusal = await refusedBy(answer(content));
      isTaken = refusal === undefined;
      return refusal ? { by: 'turn', refusal } : { by: 'turn' };
    },
    giveInstead(give) {
      if (isBegun) return false;
      guardAnswer = give();
      return true;
    },
    async settled() {
      await guardAnswer;
    },
  };
}
