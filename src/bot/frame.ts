// The one frame around every handler: it routes taps, commands and messages, has each tap judged, calls the
// handler, and turns its Outcome into the event chain and an ending that the user sees. Handlers return an
// Outcome; nobody else decides what is said. What it returns is committed by the caller afterwards: a crash in
// between renders twice rather than not at all.
import type { PriceList } from '../billing/price-list.ts';
import { errorType } from '../errors.ts';
import type { AmbientFields } from '../otel/fields.ts';
import { type ReasonCode, reasons, reasonText } from '../otel/reasons.ts';
import { lengthOnly } from '../otel/redaction.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import { inTime } from '../telegram/call-deadline.ts';
import type { IncomingFile } from '../telegram/incoming-file.ts';
import { decodeButton, sanitizedData } from '../ui/codec.ts';
import { type Outcome, type ParameterInput, type Rejected, rejected } from '../ui/outcome.ts';
import { type ButtonName, buttonId, buttons, type CommandName, commands } from '../ui/registry.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import { createConclude } from './conclude.ts';
import type { AdminTools, FallbackCause, HandlerContext, HandlerServices, Handlers } from './context.ts';
import { flowOf, stateBefore } from './flow-fields.ts';
import { judge } from './judge.ts';
import type { TurnEnd } from './turn-end.ts';

export interface FrameOptions {
  readonly handlers: Handlers;
  readonly services: HandlerServices;
  readonly prices: PriceList;
  /** For the administrator with this id. */
  readonly adminTools: (userId: number) => AdminTools;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
}

/** Each brings the update to its end. Throws only for what another attempt may cure. */
export interface Frame {
  callback(context: BotContext, data: string): Promise<TurnEnd>;
  command(context: BotContext, name: string, argument: string): Promise<TurnEnd>;
  /** A message that an administrator forwards; without a sender where Telegram hides it. */
  forward(context: BotContext, senderId: number | undefined): Promise<TurnEnd>;
  text(context: BotContext, text: string): Promise<TurnEnd>;
  file(context: BotContext, file: IncomingFile): Promise<TurnEnd>;
  /** A message of a kind that nothing asked for. */
  message(context: BotContext): Promise<TurnEnd>;
}

interface Thrown {
  readonly kind: 'thrown';
  readonly error: unknown;
  /** What was to be done. */
  readonly action: ButtonName | CommandName | undefined;
}

export function createFrame(options: FrameOptions): Frame {
  const { handlers, services, prices, texts, telemetry } = options;
  const { catalogue } = services;
  const conclude = createConclude({ catalogue, prices, texts, telemetry });

  async function callback(context: BotContext, data: string): Promise<TurnEnd> {
    const decoded = decodeButton(data);
    const id = decoded.ok ? buttonId(decoded.button, decoded.args) : 'UNKNOWN';
    telemetry.annotate({
      button_id: id,
      ...(context.screen ? { screen_id: context.screen.id } : {}),
      ...flowAround(context),
    });
    telemetry.emit('CALLBACK_RECEIVED', {
      callback_id: context.callbackQuery?.id ?? '',
      message_id: context.callbackQuery?.message?.message_id,
      button_id: id,
      payload_sanitized: sanitizedData(data),
    });
    if (!decoded.ok) {
      return refuseTap(context, id, rejected(decoded.reason));
    }
    const { button, args } = decoded;
    telemetry.annotate({ action_id: button, handler: button });
    telemetry.emit('CALLBACK_ROUTED', { handler: button, action_id: button, button_id: id });
    emitState(context);
    if ('admin' in buttons[button] && context.isAdmin) telemetry.emit('DEBUG_COMMAND', { operation: id });
    const outcome =
      judge(context, button, args, data) ?? (await guarded(() => press(context, button, args), button));
    if (outcome.kind === 'rejected') return refuseTap(context, id, outcome);
    if (outcome.kind === 'thrown') return failTap(context, id, outcome);
    return acceptTap(context, id, data, outcome);
  }

  function press(
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
  ): Promise<TurnEnd> {
    const shown = outcome.kind === 'show' ? outcome : undefined;
    const verdict = shown
      ? ({ result: 'accepted', reason: 'SUCCESS' } as const)
      : ({ result: 'noop', reason: 'NOOP' } as const);
    const screen = context.screen?.id ?? 'NONE';
    emitParameter(shown?.parameter);
    telemetry.emit('CALLBACK_ACCEPTED', {
      result: verdict.result,
      reason_code: verdict.reason,
      button_id: id,
      screen_id: screen,
      next_screen: shown?.screen ?? screen,
    });
    return conclude(context, { verdict, show: outcome, accepted: data, notice: noticeOf(context, outcome) });
  }

  async function refuseTap(context: BotContext, id: string, outcome: Rejected): Promise<TurnEnd> {
    const notice = refusalText(context, outcome);
    emitParameter(outcome.parameter, { hint: notice, problem: outcome.detail });
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'rejected',
      reason_code: outcome.reason,
      reason_text: reasons[outcome.reason].meaning,
      reason_detail: outcome.detail,
      expected_state: outcome.expected,
      actual_state: outcome.actual,
      button_id: id,
    });
    const recovery = needsRecovery(context, outcome.reason)
      ? await guarded(() => callFallback(context, { kind: 'stale_button', reason: outcome.reason }))
      : undefined;
    return conclude(context, {
      verdict: { result: 'rejected', reason: outcome.reason, detail: outcome.detail },
      show: recovery?.kind === 'show' ? recovery : undefined,
      notice,
      alert: reasons[outcome.reason].fault,
      reportable: reasons[outcome.reason].fault,
    });
  }

  async function failTap(context: BotContext, id: string, thrown: Thrown): Promise<TurnEnd> {
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'failed',
      reason_code: 'INTERNAL_ERROR',
      reason_text: reasons.INTERNAL_ERROR.meaning,
      button_id: id,
      error_type: errorType(thrown.error),
    });
    return concludeFault(context, thrown);
  }

  async function command(context: BotContext, name: string, argument: string): Promise<TurnEnd> {
    telemetry.annotate(flowAround(context));
    telemetry.emit('COMMAND_RECEIVED', {
      payload_sanitized: `/${isCommand(name) ? name : lengthOnly(name)}`,
    });
    if (!isCommand(name)) {
      return refuseCommand(context, name, {
        reason: 'UNKNOWN_ACTION',
        hint: context.form ? 'hint-unknown-command-form' : 'hint-unknown-command',
      });
    }
    telemetry.annotate({ handler: name, action_id: name });
    if ('admin' in commands[name] && !context.isAdmin) {
      return refuseCommand(context, name, { reason: 'PERMISSION_DENIED', hint: 'hint-not-allowed' });
    }
    telemetry.emit('COMMAND_START', { handler: name, action_id: name });
    emitState(context);
    if ('admin' in commands[name]) telemetry.emit('DEBUG_COMMAND', { operation: name });
    return concludeMessage(context, await guarded(() => execute(context, name, argument), name));
  }

  function execute(context: BotContext, name: CommandName, argument: string): Promise<Outcome> {
    // SAFETY: a command of the administrators gets here for them only, and then the context has their tools; the
    // table itself is fully typed, only this one dynamic step cannot be.
    const handler = handlers.commands[name] as (
      context: HandlerContext,
      argument: string,
    ) => Promise<Outcome>;
    return handler(handlerContext(context), argument);
  }

  async function refuseCommand(
    context: BotContext,
    name: string,
    { reason, hint }: { readonly reason: 'UNKNOWN_ACTION' | 'PERMISSION_DENIED'; readonly hint: string },
  ): Promise<TurnEnd> {
    telemetry.emit('COMMAND_REJECTED', {
      reason_code: reason,
      reason_text: reasons[reason].meaning,
      action_id: isCommand(name) ? name : undefined,
    });
    const outcome = await guarded(() => callFallback(context, { kind: 'unknown_command' }));
    return concludeMessage(context, outcome, { verdict: { result: 'rejected', reason }, hint });
  }

  async function forward(context: BotContext, senderId: number | undefined): Promise<TurnEnd> {
    const { admin, ...given } = handlerContext(context);
    if (!admin) {
      return message(context);
    }
    telemetry.emit('MESSAGE_RECEIVED', { payload_sanitized: 'forward' });
    telemetry.annotate({ handler: 'forwarded' });
    telemetry.emit('DEBUG_COMMAND', { operation: 'forwarded message' });
    return concludeMessage(context, await guarded(() => handlers.forwarded({ ...given, admin }, senderId)));
  }

  async function text(context: BotContext, value: string): Promise<TurnEnd> {
    beginMessage(context, 'text', lengthOnly(value));
    return concludeMessage(context, await guarded(() => handlers.text(handlerContext(context), value)));
  }

  async function file(context: BotContext, incoming: IncomingFile): Promise<TurnEnd> {
    const { form } = context;
    if (!form) {
      return message(context);
    }
    beginMessage(context, 'file', `file(${incoming.media})`);
    const outcome = await guarded(() => handlers.file({ ...handlerContext(context), form }, incoming));
    return concludeMessage(context, outcome);
  }

  async function message(context: BotContext): Promise<TurnEnd> {
    beginMessage(context, 'fallback', context.picked.eventType);
    const outcome = await guarded(() => callFallback(context, { kind: 'unexpected_message' }));
    return concludeMessage(context, outcome, {
      verdict: { result: 'noop', reason: 'NOOP' },
      hint: context.form ? 'hint-continue' : 'hint-unexpected',
    });
  }

  function beginMessage(context: BotContext, handler: string, payload: string): void {
    telemetry.annotate({ handler, ...flowAround(context) });
    telemetry.emit('MESSAGE_RECEIVED', { payload_sanitized: payload });
    emitState(context);
  }

  /** Ends a command or a message; `as` says what a shown screen counts as, when it is not plain success. */
  async function concludeMessage(
    context: BotContext,
    outcome: Outcome | Thrown,
    as?: {
      readonly verdict: { readonly result: 'rejected' | 'noop'; readonly reason: ReasonCode };
      readonly hint: string;
    },
  ): Promise<TurnEnd> {
    if (outcome.kind === 'thrown') return concludeFault(context, outcome);
    if (outcome.kind === 'rejected') {
      const notice = refusalText(context, outcome);
      emitParameter(outcome.parameter, { hint: notice, problem: outcome.detail });
      const verdict = { result: 'rejected', reason: outcome.reason, detail: outcome.detail } as const;
      return conclude(context, { verdict, notice, reportable: reasons[outcome.reason].fault });
    }
    if (outcome.kind === 'show') emitParameter(outcome.parameter);
    const verdict = as?.verdict ?? ({ result: 'accepted', reason: 'SUCCESS' } as const);
    return conclude(context, {
      verdict,
      show: outcome,
      notice: as ? texts.for(context.locale)(as.hint) : noticeOf(context, outcome),
    });
  }

  async function concludeFault(context: BotContext, { error, action }: Thrown): Promise<TurnEnd> {
    return conclude(context, {
      verdict: { result: 'failed', reason: 'INTERNAL_ERROR', error },
      notice: reasonText('INTERNAL_ERROR', context.locale, telemetry.cid()),
      alert: true,
      // A report that failed is not to be reported: it would fail again, and the user go round in circles.
      reportable: action !== 'report',
    });
  }

  function callFallback(context: BotContext, cause: FallbackCause): Promise<Outcome> {
    return handlers.fallback(handlerContext(context), cause);
  }

  function noticeOf(context: BotContext, outcome: Outcome): string | undefined {
    if (outcome.kind !== 'noop' || !outcome.hint) return undefined;
    return texts.for(context.locale)(outcome.hint.key, outcome.hint.variables);
  }

  function refusalText(context: BotContext, { hint, reason }: Rejected): string {
    if (!hint) return reasonText(reason, context.locale, telemetry.cid());
    const text = texts.for(context.locale)(hint.key, hint.variables);
    return reasons[reason].fault ? `${text} (${telemetry.cid()})` : text;
  }

  /** `refused`: what is wrong with the value, and what the user was told. */
  function emitParameter(
    parameter: (ParameterInput & { allowed?: string }) | undefined,
    refused?: { readonly hint: string; readonly problem: string | undefined },
  ): void {
    if (!parameter) return;
    const input = { param_name: parameter.name, value: parameter.value };
    const { allowedText, source } = parameter;
    // A text may quote a secret, which nobody can allow.
    const told = allowedText === undefined ? parameter.value : telemetry.scrub(allowedText);
    telemetry.emit('PARAM_INPUT', { ...input, value: told, source });
    if (!refused) telemetry.emit('PARAM_ACCEPTED', input);
    else {
      telemetry.emit('PARAM_VALIDATION_FAILED', {
        ...input,
        reason_code: 'VALIDATION_FAILED',
        reason_detail: refused.problem,
        hint_to_user: refused.hint,
        allowed: parameter.allowed,
      });
    }
  }

  function flowAround({ form }: BotContext): AmbientFields {
    return form ? flowOf(form, catalogue) : {};
  }

  function emitState(context: BotContext): void {
    if (telemetry.isEnabled('STATE_BEFORE')) telemetry.emit('STATE_BEFORE', stateBefore(context, catalogue));
  }

  function handlerContext(context: BotContext): HandlerContext {
    const { form, screen, locale } = context;
    const promptConsent = context.picked.user?.promptConsent ?? false;
    const user = { chatId: context.picked.lane, locale, promptConsent };
    const admin = context.isAdmin && context.from ? options.adminTools(context.from.id) : undefined;
    return {
      ...services,
      user,
      prices: prices.at(context.picked.receivedAt),
      admin,
      form,
      screen,
    };
  }

  /**
   * A handler that throws, or does not end in time, ends its update; only a lost database is left to another attempt.
   */
  async function guarded(
    work: () => Promise<Outcome>,
    action?: ButtonName | CommandName,
  ): Promise<Outcome | Thrown> {
    try {
      return await inTime(handlerShare, work, error =>
        telemetry.warn('end of a handler that was given up', error),
      );
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return { kind: 'thrown', error, action };
    }
  }

  return { callback, command, forward, text, file, message };
}

/** Of the time that the update has left; the rest is for telling the user how it ended. */
const handlerShare = 0.75;

/** Refusals after which the message goes on being usable as it is. */
const harmless: ReadonlySet<ReasonCode> = new Set([
  'DUPLICATE_ACTION',
  'VALIDATION_FAILED',
  'MODEL_DISABLED',
  'RATE_LIMIT',
]);

/**
 * A refused tap must not be a dead end: unless the current screen is right there, a fresh one is shown. An
 * expired screen is of no use even where it is the current one.
 */
function needsRecovery(context: BotContext, reason: ReasonCode): boolean {
  if (reason === 'EXPIRED_MESSAGE') return true;
  const onCurrentMessage =
    context.screen !== undefined && context.screen.messageId === context.picked.session?.messageId;
  return !onCurrentMessage && !harmless.has(reason);
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
