// The one frame around every handler. It decodes the button, judges it against the screen of its own message
// and the open form, calls the handler, always answers the callback query, shows the next screen and emits
// the whole event chain. Handlers return an Outcome; everything a user sees or an operator reads is done here.
//
// Order for a tap: answer and render start together, the answer first, because the spinner is what the user
// looks at; events are emitted in that order too. The outcome and the state it leads to are committed by the
// caller after that: a crash in between renders twice rather than not at all.

import type { Catalogue } from '../catalogue/catalogue.ts';
import { errorType } from '../errors.ts';
import type { Conclusion } from '../inbox/lanes.ts';
import { lengthOnly, sanitizePayload } from '../otel/privacy.ts';
import { type ReasonCode, reasons, reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { isConnectionLost } from '../storage/database.ts';
import type { Effects } from '../storage/update-store.ts';
import { decodeButton } from '../ui/codec.ts';
import { type Outcome, type ParameterInput, type Rejected, rejected, type Show } from '../ui/outcome.ts';
import { type ButtonName, buttonId, buttons, commands } from '../ui/registry.ts';
import { renderScreen } from '../ui/render.ts';
import { recordOf, type ScreenId, screens } from '../ui/screens.ts';
import { escapeHtml, type Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import type { FallbackCause, HandlerContext, Handlers } from './context.ts';
import { type Presented, present } from './presenter.ts';
import { refusalOf } from './refusal.ts';

export interface FrameOptions {
  readonly handlers: Handlers;
  readonly catalogue: Catalogue;
  readonly pipeline: Pipeline;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
}

export interface Frame {
  callback(context: BotContext, data: string): Promise<void>;
  command(context: BotContext, name: string): Promise<void>;
  text(context: BotContext, text: string): Promise<void>;
  /** A message of a kind that nothing asked for. */
  message(context: BotContext): Promise<void>;
}

/** By our own record of the rendering: Telegram's date is that of the first sending. */
const expiryMs = 48 * 60 * 60 * 1_000;
/** The same button within this time of its acceptance is a double tap, even where it would still be valid. */
const doubleTapMs = 2_000;
/** Telegram cuts longer answers to callback queries off with an error. */
const maxAnswerLength = 200;

type Answer = { readonly text: string; readonly alert: boolean };

export function createFrame(options: FrameOptions): Frame {
  const { handlers, texts, telemetry, catalogue, pipeline } = options;

  async function callback(context: BotContext, data: string): Promise<void> {
    const decoded = decodeButton(data);
    const id = decoded.ok ? buttonId(decoded.button, decoded.args) : 'UNKNOWN';
    telemetry.annotate({ button_id: id, ...(context.screen ? { screen_id: context.screen.id } : {}) });
    telemetry.emit('CALLBACK_RECEIVED', {
      callback_id: context.callbackQuery?.id ?? '',
      message_id: context.callbackQuery?.message?.message_id,
      button_id: id,
      payload_sanitized: sanitizePayload(data),
    });
    if (!decoded.ok) {
      await refuseTap(context, id, rejected(decoded.reason));
      return;
    }
    const { button, args } = decoded;
    telemetry.annotate({ action_id: button, handler: button });
    telemetry.emit('CALLBACK_ROUTED', { handler: button, action_id: button, button_id: id });
    const refusal = judge(context, button, args, data);
    const outcome = refusal ?? (await guarded(() => callButton(context, button, args)));
    if ('thrown' in outcome) await failTap(context, id, outcome.thrown);
    else if (outcome.kind === 'rejected') await refuseTap(context, id, outcome);
    else await acceptTap(context, id, data, outcome);
  }

  /** The rules that hold for every button, before its handler is asked. */
  function judge(
    context: BotContext,
    name: ButtonName,
    args: readonly (string | number)[],
    data: string,
  ): Rejected | undefined {
    const { screen, form } = context;
    if (!screen || context.picked.receivedAt.getTime() - screen.renderedAt.getTime() > expiryMs) {
      return rejected('EXPIRED_MESSAGE', {
        detail: screen ? 'rendered over 48 hours ago' : 'no record of this message',
      });
    }
    const repeated = screen.lastAction?.data === data;
    const quick =
      screen.lastAction && context.picked.receivedAt.getTime() - screen.lastAction.at.getTime() < doubleTapMs;
    const definition = buttons[name];
    const allowed: readonly ScreenId[] = definition.from;
    if (!allowed.includes(screen.id)) {
      return repeated ? rejected('DUPLICATE_ACTION') : mismatch(allowed.join(' | '), screen.id);
    }
    if (repeated && quick) return rejected('DUPLICATE_ACTION');
    if ('draft' in definition && (form?.draft !== args[0] || form?.revision !== args[1])) {
      if (repeated) return rejected('DUPLICATE_ACTION');
      return mismatch(
        `draft ${args[0]} revision ${args[1]}`,
        form ? `draft ${form.draft} revision ${form.revision}` : 'no open form',
      );
    }
    return undefined;
  }

  function callButton(
    context: BotContext,
    name: ButtonName,
    args: readonly (string | number)[],
  ): Promise<Outcome> {
    // SAFETY: the codec parsed `args` with this button's own schema, and `judge` found the form that buttons
    // with a draft need; the table itself is fully typed, only this one dynamic step cannot be.
    const handler = handlers.buttons[name] as (
      context: HandlerContext,
      args: readonly (string | number)[],
    ) => Promise<Outcome>;
    return handler(handlerContext(context), args);
  }

  async function acceptTap(
    context: BotContext,
    id: string,
    data: string,
    outcome: Exclude<Outcome, Rejected>,
  ): Promise<void> {
    const result = outcome.kind === 'noop' ? 'noop' : 'accepted';
    const reason = outcome.kind === 'noop' ? 'NOOP' : 'SUCCESS';
    if (outcome.kind === 'show') emitParameter(outcome.parameter, true);
    telemetry.emit('CALLBACK_ACCEPTED', {
      result,
      reason_code: reason,
      button_id: id,
      screen_id: context.screen?.id ?? 'NONE',
      next_screen: outcome.kind === 'show' ? outcome.screen : (context.screen?.id ?? 'NONE'),
    });
    const tapped = context.screen ? { messageId: context.screen.messageId, data } : undefined;
    await conclude(context, outcome, { result, reason }, { text: '', alert: false }, tapped);
  }

  async function refuseTap(context: BotContext, id: string, outcome: Rejected): Promise<void> {
    const t = texts.for(context.locale);
    const text = outcome.hint
      ? t(outcome.hint.key, outcome.hint.variables)
      : reasonText(outcome.reason, context.locale, telemetry.cid());
    if (outcome.parameter) emitParameter(outcome.parameter, false, text);
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'rejected',
      reason_code: outcome.reason,
      reason_text: reasons[outcome.reason].meaning,
      reason_detail: outcome.detail,
      expected_state: outcome.expected,
      actual_state: outcome.actual,
      button_id: id,
    });
    const recovery = await recoveryScreen(context, outcome.reason);
    await conclude(
      context,
      recovery,
      { result: 'rejected', reason: outcome.reason, detail: outcome.detail },
      { text, alert: reasons[outcome.reason].fault },
    );
  }

  async function failTap(context: BotContext, id: string, error: unknown): Promise<void> {
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'failed',
      reason_code: 'INTERNAL_ERROR',
      reason_text: reasons.INTERNAL_ERROR.meaning,
      button_id: id,
      error_type: errorType(error),
    });
    const text = reasonText('INTERNAL_ERROR', context.locale, telemetry.cid());
    await conclude(
      context,
      undefined,
      { result: 'failed', reason: 'INTERNAL_ERROR', error },
      { text, alert: true },
    );
  }

  /** Where a refused tap leads: nowhere if the current screen is right there, else to a fresh one. */
  async function recoveryScreen(context: BotContext, reason: ReasonCode): Promise<Outcome | undefined> {
    const onCurrentMessage =
      context.screen !== undefined && context.screen.messageId === context.picked.session?.messageId;
    const staysUsable =
      reason === 'DUPLICATE_ACTION' || reason === 'VALIDATION_FAILED' || reason === 'MODEL_DISABLED';
    if (onCurrentMessage || staysUsable) return undefined;
    return callFallback(context, { kind: 'stale_button', reason });
  }

  async function command(context: BotContext, name: string): Promise<void> {
    telemetry.emit('COMMAND_RECEIVED', { payload_sanitized: sanitizePayload(`/${name}`) });
    if (!isCommand(name)) {
      telemetry.emit('COMMAND_REJECTED', {
        reason_code: 'UNKNOWN_ACTION',
        reason_text: reasons.UNKNOWN_ACTION.meaning,
        action_id: sanitizePayload(name),
      });
      const outcome = await guarded(() => callFallback(context, { kind: 'unknown_command' }));
      await concludeMessage(
        context,
        outcome,
        { result: 'rejected', reason: 'UNKNOWN_ACTION' },
        'hint-unknown-command',
      );
      return;
    }
    telemetry.annotate({ handler: name, action_id: name });
    telemetry.emit('COMMAND_START', { handler: name, action_id: name });
    await concludeMessage(context, await guarded(() => handlers.commands[name](handlerContext(context))));
  }

  async function text(context: BotContext, value: string): Promise<void> {
    telemetry.emit('MESSAGE_RECEIVED', { payload_sanitized: lengthOnly(value) });
    if (!context.form) {
      await unexpected(context);
      return;
    }
    telemetry.annotate({ handler: 'text' });
    await concludeMessage(context, await guarded(() => handlers.text(handlerContext(context), value)));
  }

  async function message(context: BotContext): Promise<void> {
    telemetry.emit('MESSAGE_RECEIVED', { payload_sanitized: context.picked.eventType });
    await unexpected(context);
  }

  async function unexpected(context: BotContext): Promise<void> {
    telemetry.annotate({ handler: 'fallback' });
    const outcome = await guarded(() => callFallback(context, { kind: 'unexpected_message' }));
    const hint = context.form ? 'hint-continue' : 'hint-unexpected';
    await concludeMessage(context, outcome, { result: 'noop', reason: 'NOOP' }, hint);
  }

  function callFallback(context: BotContext, cause: FallbackCause): Promise<Outcome> {
    return handlers.fallback(handlerContext(context), cause);
  }

  /** Ends a command or a message: `as` overrides what the shown screen would count as. */
  async function concludeMessage(
    context: BotContext,
    outcome: Outcome | Thrown,
    as: { result: Conclusion['result']; reason: ReasonCode } = { result: 'accepted', reason: 'SUCCESS' },
    hintKey?: string,
  ): Promise<void> {
    const t = texts.for(context.locale);
    if ('thrown' in outcome) {
      const notice = reasonText('INTERNAL_ERROR', context.locale, telemetry.cid());
      await conclude(
        context,
        undefined,
        { result: 'failed', reason: 'INTERNAL_ERROR', error: outcome.thrown },
        { text: notice, alert: true },
      );
      return;
    }
    if (outcome.kind === 'rejected') {
      const notice = outcome.hint
        ? t(outcome.hint.key, outcome.hint.variables)
        : reasonText(outcome.reason, context.locale, telemetry.cid());
      emitParameter(outcome.parameter, false, notice);
      await conclude(
        context,
        undefined,
        { result: 'rejected', reason: outcome.reason, detail: outcome.detail },
        { text: notice, alert: false },
      );
      return;
    }
    if (outcome.kind === 'show') emitParameter(outcome.parameter, true);
    await conclude(context, outcome, as, { text: hintKey ? t(hintKey) : '', alert: false });
  }

  /**
   * Answers, shows, and leaves the conclusion on the context. A Bot API failure does not throw: it becomes
   * the conclusion, and the state stays as it was, because the user does not see the new screen.
   */
  async function conclude(
    context: BotContext,
    outcome: Outcome | undefined,
    verdict: Pick<Conclusion, 'result' | 'reason' | 'error' | 'detail'>,
    answer: Answer,
    tapped?: { readonly messageId: number; readonly data: string },
  ): Promise<void> {
    const showing = outcome?.kind === 'show' ? outcome : undefined;
    // A tap's text goes into the answer; a message has none, so it stands above the screen, or alone.
    const notice = context.callbackQuery ? '' : answer.text;
    const answering = context.callbackQuery ? answerTap(context, answer) : undefined;
    const rendering = showing
      ? render(context, showing, tapped !== undefined, notice)
      : notice && context.api.sendMessage(context.picked.lane, notice);
    const [answered, rendered] = await Promise.allSettled([answering, rendering]);
    if (answered.status === 'fulfilled') emitAnswer(context, answered.value, answer);
    const presented =
      rendered.status === 'fulfilled' && rendered.value && 'operation' in rendered.value
        ? rendered.value
        : undefined;
    if (presented && showing) emitRender(showing, presented);
    const afterCommit = showing?.afterCommit;
    const failed = [answered, rendered].find(part => part.status === 'rejected');
    if (failed) {
      context.conclusion = { ...failureOf(context, failed.reason), afterCommit };
      return;
    }
    context.conclusion = { ...verdict, effects: effectsOf(context, showing, presented, tapped), afterCommit };
  }

  function render(
    context: BotContext,
    outcome: Show<ScreenId>,
    mayEdit: boolean,
    notice: string,
  ): Promise<Presented> {
    const drawn = renderScreen(outcome.screen, outcome.data, {
      locale: context.locale,
      t: texts.for(context.locale),
      catalogue,
    });
    const editMessageId =
      mayEdit && context.screen && !context.screen.media ? context.screen.messageId : undefined;
    const screen = notice
      ? {
          ...drawn,
          text: `${escapeHtml(notice)}

${drawn.text}`,
        }
      : drawn;
    return present(context.api, context.picked.lane, screen, editMessageId);
  }

  /** Telegram refuses late and repeated answers: then nobody sees a spinner any more, and that is no failure. */
  async function answerTap(context: BotContext, answer: Answer): Promise<{ refused?: string }> {
    try {
      await context.answerCallbackQuery(
        answer.text === '' ? {} : { text: answer.text.slice(0, maxAnswerLength), show_alert: answer.alert },
      );
      return {};
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      return { refused: refusal.detail };
    }
  }

  function emitAnswer(context: BotContext, answered: { refused?: string } | undefined, answer: Answer): void {
    if (!context.callbackQuery || !answered) return;
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: answered.refused === undefined ? 'accepted' : 'failed',
      text: answer.text,
      reason_detail: answered.refused,
    });
  }

  function emitRender(outcome: Show<ScreenId>, presented: Presented): void {
    const drawn = recordOf(outcome.data);
    telemetry.emit('UI_RENDER', {
      screen_id: outcome.screen,
      operation: presented.operation,
      message_id: presented.messageId,
      buttons_count: presented.buttonsCount,
      reason_detail:
        drawn.draft === undefined ? undefined : `draft ${drawn.draft} revision ${drawn.revision}`,
    });
  }

  function effectsOf(
    context: BotContext,
    outcome: Show<ScreenId> | undefined,
    presented: Presented | undefined,
    tapped: { readonly messageId: number; readonly data: string } | undefined,
  ): Effects {
    const form = outcome && nextForm(context, outcome);
    return {
      chatId: context.picked.lane,
      ...userEffect(context),
      ...(outcome && presented
        ? {
            session: { messageId: presented.messageId, form: form ?? null },
            message: {
              messageId: presented.messageId,
              screen: outcome.screen,
              record: recordOf(outcome.data),
            },
          }
        : {}),
      ...(tapped ? { tapped } : {}),
    };
  }

  /** A user who can act has not blocked the bot, whatever was recorded. */
  function userEffect(context: BotContext): Pick<Effects, 'user'> {
    const known = context.picked.user;
    if (known && !known.blocked && known.language === context.locale) return {};
    return { user: { language: context.locale, blocked: false } };
  }

  function failureOf(context: BotContext, error: unknown): Conclusion {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return {
      result: 'failed',
      reason: refusal.reason,
      detail: refusal.detail,
      error,
      effects: {
        chatId: context.picked.lane,
        ...(refusal.blocked ? { user: { language: context.locale, blocked: true } } : userEffect(context)),
      },
    };
  }

  function emitParameter(
    parameter: (ParameterInput & { allowed?: string }) | undefined,
    accepted: boolean,
    hint = '',
  ): void {
    if (!parameter) return;
    const input = { param_name: parameter.name, value: parameter.value };
    telemetry.emit('PARAM_INPUT', { ...input, source: parameter.source });
    if (accepted) telemetry.emit('PARAM_ACCEPTED', input);
    else
      telemetry.emit('PARAM_VALIDATION_FAILED', {
        ...input,
        reason_code: 'VALIDATION_FAILED',
        hint_to_user: hint,
        allowed: parameter.allowed,
      });
  }

  function handlerContext(context: BotContext): HandlerContext {
    return {
      user: { chatId: context.picked.lane, locale: context.locale },
      catalogue,
      pipeline,
      form: context.form,
      screen: context.screen,
    };
  }

  return { callback, command, text, message };
}

interface Thrown {
  readonly thrown: unknown;
}

/** A handler that throws ends its update; only a lost database is left to another attempt. */
async function guarded(work: () => Promise<Outcome>): Promise<Outcome | Thrown> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return { thrown: error };
  }
}

function mismatch(expected: string, actual: string): Rejected {
  return rejected('STATE_MISMATCH', { expected, actual, detail: `expected ${expected}, got ${actual}` });
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

/** What the user's form is once the screen is shown. */
function nextForm(context: BotContext, outcome: Show<ScreenId>): object | undefined {
  const treatment = screens[outcome.screen].form;
  if (treatment === 'closes') return undefined;
  return treatment === 'holds' && 'form' in outcome.data ? outcome.data.form : context.form;
}
