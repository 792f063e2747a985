// The end of every update: answers the tap, shows the screen, tells both in events, and works out what is to
// be stored. Answer and render start together, the answer first, because the spinner is what the user looks
// at; their events keep that order. A failure of the Bot API does not throw: it becomes the conclusion, and
// the state stays as it was, because the user does not see the new screen. But where a fault was to be told the
// conclusion stays that fault: it is what somebody has to fix.
import type { PriceList } from '../billing/price-list.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Conclusion } from '../inbox/lanes.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Form } from '../pipeline/form.ts';
import type { Effects } from '../storage/update-store.ts';
import { type Presented, present } from '../telegram/presenter.ts';
import { canBeWrittenTo, type Refusal, refusalOf } from '../telegram/refusal.ts';
import type { RenderedScreen } from '../ui/keyboard.ts';
import type { Noop, Show } from '../ui/outcome.ts';
import { renderScreen } from '../ui/render.ts';
import { recordOf, type ScreenId, screens } from '../ui/screens.ts';
import { escapeHtml, type Texts } from '../ui/texts.ts';
import { type BotContext, profileOf } from './bot-context.ts';
import { createFaultTeller, type Told } from './fault-teller.ts';
import { flowOf } from './flow-fields.ts';
import { followUpsFor, type Owed, owedAfter } from './owed-screen.ts';
import type { TurnEnd } from './turn-end.ts';

export interface Ending {
  readonly verdict: Pick<Conclusion, 'result' | 'reason' | 'error' | 'detail'>;
  /** What to show; nothing leaves the screen as it is. */
  readonly show?: Show<ScreenId> | Noop | undefined;
  /** For a tap the text of its answer; for a message a line above the screen, or alone. */
  readonly notice?: string | undefined;
  /** The notice tells of a fault: the answer to a tap must be confirmed. */
  readonly alert?: boolean;
  /** The notice comes as a message with the button that reports it, also after a tap. */
  readonly reportable?: boolean;
  /** The data of the button that was accepted: its message may be edited, and a repetition be told. */
  readonly accepted?: string;
}

/** What the user did not see: a screen, or words. */
type Unshown =
  | {
      readonly shown: Show<ScreenId>;
      readonly drawn: RenderedScreen;
      readonly place: number | undefined;
      readonly isSent: boolean;
    }
  | { readonly notice: string | undefined };

export type Conclude = (context: BotContext, ending: Ending) => Promise<TurnEnd>;

/** What the parts of an ending leave for its commit; of what is owed the newest takes the place of what was there. */
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
  const faults = createFaultTeller({ texts, telemetry });

  function draw(context: BotContext, shown: Show<ScreenId>, ending: Ending): RenderedScreen {
    const { locale } = context;
    const view = { locale, t: texts.for(locale), catalogue, startingPrice: prices.startingPrice };
    const drawn = renderScreen(shown.screen, shown.data, view);
    const above = context.callbackQuery ? undefined : ending.notice;
    return above ? { ...drawn, text: `${escapeHtml(above)}\n\n${drawn.text}` } : drawn;
  }

  /**
   * Telegram refuses late and repeated answers: then nobody sees a spinner any more, and that is no failure. But a
   * notice that the answer bore, and no screen tells, is sent as a message then.
   */
  async function answerTap(context: BotContext, ending: Ending, left: Leftovers): Promise<void> {
    const { notice = '', alert = false } = ending;
    const text = notice.slice(0, maxAnswerLength);
    const given = await context.tapAnswer?.give(text === '' ? {} : { text, show_alert: alert });
    if (given?.by === 'guard') {
      await noteGuardAnswer(context, ending, text);
      return;
    }
    const refusal = given?.refusal;
    const untold = refusal !== undefined && canBeWrittenTo(refusal) && isToldByAnswerOnly(ending);
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: untold ? `${refusal.detail}; told by a message instead` : refusal?.detail,
    });
    if (untold) await sendNotice(context, notice);
    else if (refusal && isToldByAnswerOnly(ending)) left.owed = owedNotice(notice, refusal) ?? left.owed;
  }

  /** The tap has had its one answer; what this one would have told is told by a message. */
  async function noteGuardAnswer(context: BotContext, ending: Ending, text: string): Promise<void> {
    const untold = isToldByAnswerOnly(ending);
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: 'noop',
      text,
      reason_detail: `the silence guard had answered${untold ? '; told by a message instead' : ''}`,
    });
    if (untold) await sendNotice(context, ending.notice);
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
      if (canBeWrittenTo(refusal)) keep(left, await faults.tell(context, { answered: true }));
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
    { notice, reportable }: Ending,
    answering: Promise<void> | undefined,
    left: Leftovers,
  ): Promise<Refusal | undefined> {
    if (!reportable || !notice) return undefined;
    await Promise.allSettled([answering]);
    const told = await faults.write(context, notice);
    keep(left, told);
    return told.refusal;
  }

  return async (context, ending) => {
    const shown = ending.show?.kind === 'show' ? ending.show : undefined;
    const left: Leftovers = {};
    const answering = context.callbackQuery ? answerTap(context, ending, left) : undefined;
    const writing = writeFault(context, ending, answering, left);
    const place = shown && placeOf(context, shown, ending);
    const drawn = shown && draw(context, shown, ending);
    let isSent = false;
    const showing = drawn
      ? present(context.api, context.picked.lane, drawn, place, () => {
          isSent = true;
        })
      : context.callbackQuery || ending.reportable
        ? undefined
        : sendNotice(context, ending.notice);
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
      const what = shown && drawn ? { shown, drawn, place, isSent } : { notice: ending.notice };
      await settleFailure(context, failure.reason, what, left);
    }
    const followUps = [...(ending.show?.followUps ?? []), ...followUpsFor(left.owed)];
    if (failure) return { conclusion: { ...failed(context, failure.reason, left), followUps } };
    const effects = effectsOf(context, ending, { shown, presented, isBlocked, left });
    return {
      conclusion: { ...ending.verdict, effects, followUps },
      isSilent: !context.callbackQuery && !presented && !ending.notice,
    };
  };
}

/** The message whose place the screen takes; undefined where it gets one of its own. */
function placeOf(context: BotContext, shown: Show<ScreenId>, { accepted }: Ending): number | undefined {
  if (shown.replaces) return context.picked.session?.messageId;
  const isEditable = accepted !== undefined && !shown.apart && context.screen && !context.screen.media;
  return isEditable ? context.screen.messageId : undefined;
}

/** Of a double tap the first one has its answer, and what is shown needs no notice. */
function isToldByAnswerOnly({ notice, reportable, show, verdict }: Ending): boolean {
  return Boolean(notice) && !reportable && show?.kind !== 'show' && verdict.reason !== 'DUPLICATE_ACTION';
}

function keep(left: Leftovers, told: Told): void {
  left.owed = told.owed ?? left.owed;
  left.faultMessage = messageOf(told);
}

function failed(context: BotContext, error: unknown, left: Leftovers): Conclusion {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  return {
    result: 'failed',
    reason: refusal.reason,
    detail: refusal.detail,
    error,
    effects: {
      chatId: context.picked.lane,
      ...(refusal.blocked ? { user: profileOf(context, true) } : knownUser(context)),
      ...left.faultMessage,
    },
  };
}

function effectsOf(
  context: BotContext,
  { accepted }: Ending,
  {
    shown,
    presented,
    isBlocked,
    left,
  }: {
    readonly shown: Show<ScreenId> | undefined;
    readonly presented: Presented | undefined;
    readonly isBlocked: boolean;
    readonly left: Leftovers;
  },
): Effects {
  return {
    chatId: context.picked.lane,
    ...(isBlocked ? { user: profileOf(context, true) } : knownUser(context)),
    ...left.faultMessage,
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

/**
 * The message of a fault with its button, beside the screen that the user is on: neither that nor the form changes.
 * Where a screen was shown too, that takes its place: the button works without a record.
 */
export function messageOf({ messageId }: Told): Pick<Effects, 'message'> {
  return messageId === undefined ? {} : { message: { messageId, screen: 'FAULT', record: {} } };
}

/** Stored only when it changes. A user who can act has not blocked the bot, whatever was recorded. */
function knownUser(context: BotContext): Pick<Effects, 'user'> {
  const known = context.picked.user;
  const user = profileOf(context, false);
  const unchanged =
    known && !known.blocked && known.language === user.language && known.username === user.username;
  return unchanged ? {} : { user };
}

/** The user's form once the screen is shown. */
function formAfter(context: BotContext, shown: Show<ScreenId>): Form | undefined {
  const treatment = screens[shown.screen].form;
  if (treatment === 'closes') return undefined;
  return treatment === 'holds' && 'form' in shown.data ? shown.data.form : context.form;
}
