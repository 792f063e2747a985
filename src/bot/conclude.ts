// The end of every turn: sends the reply, emits an event for the answer and one for the screen, and concludes the update.
// Answer and screen start together, the answer first, because the spinner is what the user looks at; their events keep
// that order. A failure of the Bot API does not throw: it becomes the conclusion, and the state stays as it was, because
// the user does not see the new screen. But where the user was to be notified of a fault, the conclusion stays that fault:
// it is what somebody has to fix.
import type { PriceList } from '../billing/price-list.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Effects } from '../storage/update-finish.ts';
import { present } from '../telegram/presenter.ts';
import { canBeWrittenTo, type Refusal, refusalOf } from '../telegram/refusal.ts';
import type { RenderedScreen } from '../ui/keyboard.ts';
import type { Show } from '../ui/outcome.ts';
import { renderScreen } from '../ui/render.ts';
import { recordOf, type ScreenId } from '../ui/screens.ts';
import { escapeHtml, type Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import { effectsOfNotice, effectsOfRefusal, effectsOfReply, formAfter } from './effects.ts';
import { createFaultNotices, type WrittenNotice } from './fault-notices.ts';
import { flowOf } from './flow-fields.ts';
import { followUpsFor, type Owed, owedAfter } from './owed-screen.ts';
import { isInAnswerOnly, type Reply } from './reply.ts';
import type { TurnConclusion } from './turn-conclusion.ts';

/** What the user did not see: a screen, or words. */
type Unshown =
  | {
      readonly shown: Show<ScreenId>;
      readonly drawn: RenderedScreen;
      readonly place: number | undefined;
      readonly isSent: boolean;
    }
  | { readonly notice: string | undefined };

/**
 * Sends the reply and resolves to how the update ended. Throws only what did not come from the Bot API.
 */
export type Conclude = (context: BotContext, reply: Reply) => Promise<TurnConclusion>;

/** What the parts of a reply leave to be committed; of what is owed only the newest. */
interface Leftovers {
  owed?: Owed | undefined;
  faultMessage?: Pick<Effects, 'message'>;
}

export interface ConcludeOptions {
  readonly catalogue: Catalogue;
  readonly prices: PriceList;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
}

/** Telegram refuses longer answers to callback queries. */
const maxAnswerLength = 200;

export function createConclude({ catalogue, prices, texts, telemetry }: ConcludeOptions): Conclude {
  const faults = createFaultNotices({ texts, telemetry });

  function draw(context: BotContext, shown: Show<ScreenId>, reply: Reply): RenderedScreen {
    const { locale } = context;
    const view = { locale, t: texts.for(locale), catalogue, startingPrice: prices.startingPrice };
    const drawn = renderScreen(shown.screen, shown.data, view);
    const above = context.callbackQuery ? undefined : reply.notice;
    return above ? { ...drawn, text: `${escapeHtml(above)}\n\n${drawn.text}` } : drawn;
  }

  /**
   * Telegram refuses late and repeated answers: then nobody sees a spinner any more, and that is no failure. But the
   * notice that such an answer bore is sent as a message, unless a screen stands for it.
   */
  async function answerTap(context: BotContext, reply: Reply, left: Leftovers): Promise<void> {
    const { notice = '', alert = false } = reply;
    const text = notice.slice(0, maxAnswerLength);
    const given = await context.tapAnswer?.give(text === '' ? {} : { text, show_alert: alert });
    if (given?.by === 'guard') {
      await noteGuardAnswer(context, reply, text);
      return;
    }
    const refusal = given?.refusal;
    const isLost = refusal !== undefined && canBeWrittenTo(refusal) && isInAnswerOnly(reply);
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: isLost ? `${refusal.detail}; told by a message instead` : refusal?.detail,
    });
    if (isLost) await sendNotice(context, notice);
    else if (refusal && isInAnswerOnly(reply)) left.owed = owedNotice(notice, refusal) ?? left.owed;
  }

  /** The silence guard has given the tap its one answer: the notice of this one is sent as a message. */
  async function noteGuardAnswer(context: BotContext, reply: Reply, text: string): Promise<void> {
    const isLost = isInAnswerOnly(reply);
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: 'noop',
      text,
      reason_detail: `the silence guard had answered${isLost ? '; told by a message instead' : ''}`,
    });
    if (isLost) await sendNotice(context, reply.notice);
  }

  async function sendNotice(context: BotContext, notice: string | undefined): Promise<void> {
    if (notice) await context.api.sendMessage(context.picked.lane, notice);
  }

  /** Of a message whether it was sent before: a second one would then be the one repetition. */
  function owedNotice(notice: string, refusal: Refusal, isSent = false): Owed | undefined {
    const drawn = { text: escapeHtml(notice), rows: [] };
    return owedAfter(telemetry, { screen: undefined, record: {}, drawn }, { refusal, isSent });
  }

  /**
   * The answer has ended the spinner already: a screen that Telegram refuses for good would leave the user in silence.
   * What may get through later is owed instead.
   */
  async function settleFailure(
    context: BotContext,
    error: unknown,
    what: Unshown,
    left: Leftovers,
  ): Promise<void> {
    const refusal = refusalOf(error);
    if (!refusal) return;
    if (!refusal.retry) {
      if (canBeWrittenTo(refusal)) keep(left, await faults.notify(context, { answered: true }));
    } else if ('shown' in what) {
      const { shown, drawn, place, isSent } = what;
      const owed = owedAfter(
        telemetry,
        {
          screen: shown.screen,
          record: recordOf(shown.data),
          drawn,
          place,
          session: { form: formAfter(context, shown) ?? null },
        },
        { refusal, isSent },
      );
      left.owed = owed ?? left.owed;
    } else if (what.notice) left.owed = owedNotice(what.notice, refusal, true) ?? left.owed;
  }

  /** Once the tap has its answer: it ends the spinner, and their events keep their order. */
  async function writeFault(
    context: BotContext,
    { notice, reportable }: Reply,
    answering: Promise<void> | undefined,
    left: Leftovers,
  ): Promise<Refusal | undefined> {
    if (!reportable || !notice) return undefined;
    await Promise.allSettled([answering]);
    const written = await faults.write(context, notice);
    keep(left, written);
    return written.refusal;
  }

  return async (context, reply) => {
    const shown = reply.show?.kind === 'show' ? reply.show : undefined;
    const left: Leftovers = {};
    const answering = context.callbackQuery ? answerTap(context, reply, left) : undefined;
    const writing = writeFault(context, reply, answering, left);
    const place = shown && placeOf(context, shown, reply);
    const drawn = shown && draw(context, shown, reply);
    let isSent = false;
    const showing = drawn
      ? present(context.api, context.picked.lane, drawn, place, () => {
          isSent = true;
        })
      : context.callbackQuery || reply.reportable
        ? undefined
        : sendNotice(context, reply.notice);
    const [answered, rendered, written] = await Promise.allSettled([answering, showing, writing]);
    const presented = (rendered.status === 'fulfilled' && rendered.value) || undefined;
    if (shown && presented) {
      telemetry.emit('UI_RENDER', {
        screen_id: shown.screen,
        operation: presented.operation,
        message_id: presented.messageId,
        buttons_count: presented.buttonsCount,
        ...('form' in shown.data ? flowOf(shown.data.form, catalogue) : {}),
      });
    }
    const failure = [answered, rendered, written].find(part => part.status === 'rejected');
    const isBlocked = written.status === 'fulfilled' && written.value?.blocked === true;
    if (failure) {
      const what = shown && drawn ? { shown, drawn, place, isSent } : { notice: reply.notice };
      await settleFailure(context, failure.reason, what, left);
    }
    const followUps = [...(reply.show?.followUps ?? []), ...followUpsFor(left.owed)];
    if (failure) return { ...failed(context, failure.reason, left), followUps };
    const { faultMessage } = left;
    return {
      ...reply.conclusion,
      effects: effectsOfReply(context, reply, { shown, presented, isBlocked, faultMessage }),
      followUps,
      isSilent: !context.callbackQuery && !presented && !reply.notice,
    };
  };
}

/** The message whose place the screen takes; undefined where it gets one of its own. */
function placeOf(context: BotContext, shown: Show<ScreenId>, { accepted }: Reply): number | undefined {
  if (shown.replaces) return context.picked.session?.messageId;
  const isEditable = accepted !== undefined && !shown.apart && context.screen && !context.screen.media;
  return isEditable ? context.screen.messageId : undefined;
}

function keep(left: Leftovers, written: WrittenNotice): void {
  left.owed = written.owed ?? left.owed;
  left.faultMessage = effectsOfNotice(written);
}

function failed(context: BotContext, error: unknown, { faultMessage }: Leftovers): TurnConclusion {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  return {
    result: 'failed',
    reason: refusal.reason,
    detail: refusal.detail,
    because: { detail_code: refusal.code },
    error,
    effects: effectsOfRefusal(context, refusal, faultMessage),
  };
}
