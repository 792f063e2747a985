// What the end of a turn changes in the database, as data: the user, the session, the records of the messages involved.
// Sends nothing and stores nothing; inbox/lanes.ts commits it with the conclusion.
import type { Form } from '../pipeline/form.ts';
import type { Effects } from '../storage/update-finish.ts';
import type { Presented } from '../telegram/presenter.ts';
import type { Refusal } from '../telegram/refusal.ts';
import type { Show } from '../ui/outcome.ts';
import { recordOf, type ScreenId, screens } from '../ui/screens.ts';
import { type BotContext, profileOf } from './bot-context.ts';
import type { WrittenNotice } from './fault-notices.ts';
import type { Reply } from './reply.ts';

type FaultMessage = Pick<Effects, 'message'>;

/** Of a turn whose screen, if it has one, was taken by Telegram. */
export function effectsOfReply(
  context: BotContext,
  { accepted }: Reply,
  {
    shown,
    presented,
    isBlocked,
    faultMessage,
  }: {
    readonly shown: Show<ScreenId> | undefined;
    readonly presented: Presented | undefined;
    readonly isBlocked: boolean;
    readonly faultMessage: FaultMessage | undefined;
  },
): Effects {
  return {
    chatId: context.picked.lane,
    ...(isBlocked ? { user: profileOf(context, true) } : knownUser(context)),
    ...faultMessage,
    ...(shown && presented
      ? {
          session: { messageId: presented.messageId, form: formAfter(context, shown) ?? null },
          message: { messageId: presented.messageId, screen: shown.screen, record: recordOf(shown.data) },
        }
      : {}),
    ...(accepted !== undefined && context.screen
      ? { tapped: { messageId: context.screen.messageId, data: accepted } }
      : {}),
  };
}

/** Of a turn whose screen or answer Telegram refused: the user is still where they were. */
export function effectsOfRefusal(
  context: BotContext,
  refusal: Refusal,
  faultMessage: FaultMessage | undefined,
): Effects {
  return {
    chatId: context.picked.lane,
    ...(refusal.blocked ? { user: profileOf(context, true) } : knownUser(context)),
    ...faultMessage,
  };
}

/**
 * The message of a fault with its button, beside the screen that the user is on: neither that nor the form changes.
 * Where a screen was shown too, that takes its place: the button works without a record.
 */
export function effectsOfNotice({ messageId }: WrittenNotice): FaultMessage {
  return messageId === undefined ? {} : { message: { messageId, screen: 'FAULT', record: {} } };
}

/** The user's form once the screen is shown. */
export function formAfter(context: BotContext, shown: Show<ScreenId>): Form | undefined {
  const treatment = screens[shown.screen].form;
  if (treatment === 'closes') return undefined;
  return treatment === 'holds' && 'form' in shown.data ? shown.data.form : context.form;
}

/** Stored only when it changes. A user who can act has not blocked the bot, whatever was recorded. */
function knownUser(context: BotContext): Pick<Effects, 'user'> {
  const known = context.picked.user;
  const user = profileOf(context, false);
  const unchanged =
    known && !known.blocked && known.language === user.language && known.username === user.username;
  return unchanged ? {} : { user };
}
