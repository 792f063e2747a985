// The one frame around every handler: it routes taps, commands and messages, has each tap judged, has the handler
// called, and turns its Outcome into the event chain and a reply. Handlers return an Outcome; nobody else decides what
// the user reads. The caller commits the conclusion afterwards: a crash in between renders twice rather than not at all.
import { errorType } from '../errors.ts';
import type { AmbientFields } from '../otel/fields.ts';
import { type ReasonCode, reasons, reasonText } from '../otel/reasons.ts';
import { lengthOnly } from '../otel/redaction.ts';
import type { IncomingFile } from '../telegram/incoming-file.ts';
import { decodeButton, sanitizedData } from '../ui/codec.ts';
import { type Outcome, type Rejected, rejected } from '../ui/outcome.ts';
import { buttonId, buttons, type CommandName, commands } from '../ui/registry.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import { createConclude } from './conclude.ts';
import { flowOf, stateBefore } from './flow-fields.ts';
import { createHandlerCalls, type HandlerCallsOptions, type Thrown } from './handler-calls.ts';
import { judge } from './judge.ts';
import { createParameterEvents } from './parameter-events.ts';
import type { Reply } from './reply.ts';
import type { TurnConclusion } from './turn-conclusion.ts';

export interface FrameOptions extends HandlerCallsOptions {
  readonly texts: Texts;
}

/** Each concludes its update. Throws only for what another attempt may cure. */
export interface Frame {
  callback(context: BotContext, data: string): Promise<TurnConclusion>;
  command(context: BotContext, name: string, argument: string): Promise<TurnConclusion>;
  /** A message that an administrator forwards; without a sender where Telegram hides it. */
  forward(context: BotContext, senderId: number | undefined): Promise<TurnConclusion>;
  text(context: BotContext, text: string): Promise<TurnConclusion>;
  file(context: BotContext, file: IncomingFile): Promise<TurnConclusion>;
  /** A message of a kind that nothing asked for. */
  message(context: BotContext): Promise<TurnConclusion>;
}

export function createFrame(options: FrameOptions): Frame {
  const { services, prices, texts, telemetry } = options;
  const { catalogue } = services;
  const conclude = createConclude({ catalogue, prices, texts, telemetry });
  const handlers = createHandlerCalls(options);
  const parameterEvents = createParameterEvents(telemetry);

  async function callback(context: BotContext, data: string): Promise<TurnConclusion> {
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
    const outcome = judge(context, button, args, data) ?? (await handlers.button(context, button, args));
    if (outcome.kind === 'rejected') return refuseTap(context, id, outcome);
    if (outcome.kind === 'thrown') return failTap(context, id, outcome);
    return acceptTap(context, id, data, outcome);
  }

  async function acceptTap(
    context: BotContext,
    id: string,
    data: string,
    outcome: Exclude<Outcome, Rejected>,
  ): Promise<TurnConclusion> {
    const shown = outcome.kind === 'show' ? outcome : undefined;
    const conclusion = shown ? succeeded : didNothing;
    const screen = context.screen?.id ?? 'NONE';
    parameterEvents.emitAccepted(shown?.parameter);
    telemetry.emit('CALLBACK_ACCEPTED', {
      result: conclusion.result,
      reason_code: conclusion.reason,
      button_id: id,
      screen_id: screen,
      next_screen: shown?.screen ?? screen,
    });
    return conclude(context, {
      conclusion,
      show: outcome,
      accepted: data,
      notice: noticeOf(context, outcome),
    });
  }

  async function refuseTap(context: BotContext, id: string, outcome: Rejected): Promise<TurnConclusion> {
    const notice = refusalText(context, outcome);
    parameterEvents.emitRefused(outcome.parameter, { hint: notice, problem: outcome.detail });
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'rejected',
      reason_code: outcome.reason,
      reason_text: reasons[outcome.reason].meaning,
      reason_detail: outcome.detail,
      ...outcome.because,
      expected_state: outcome.expected,
      actual_state: outcome.actual,
      button_id: id,
    });
    const recovery = needsRecovery(context, outcome.reason)
      ? await handlers.fallback(context, { kind: 'stale_button', reason: outcome.reason })
      : undefined;
    return conclude(context, {
      conclusion: rejectedBy(outcome),
      show: recovery?.kind === 'show' ? recovery : undefined,
      notice,
      alert: reasons[outcome.reason].fault,
      reportable: reasons[outcome.reason].fault,
    });
  }

  async function failTap(context: BotContext, id: string, thrown: Thrown): Promise<TurnConclusion> {
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'failed',
      reason_code: 'INTERNAL_ERROR',
      reason_text: reasons.INTERNAL_ERROR.meaning,
      button_id: id,
      error_type: errorType(thrown.error),
    });
    return concludeFault(context, thrown);
  }

  async function command(context: BotContext, name: string, argument: string): Promise<TurnConclusion> {
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
    return concludeMessage(context, await handlers.command(context, name, argument));
  }

  async function refuseCommand(
    context: BotContext,
    name: string,
    { reason, hint }: { readonly reason: 'UNKNOWN_ACTION' | 'PERMISSION_DENIED'; readonly hint: string },
  ): Promise<TurnConclusion> {
    telemetry.emit('COMMAND_REJECTED', {
      reason_code: reason,
      reason_text: reasons[reason].meaning,
      action_id: isCommand(name) ? name : undefined,
    });
    const outcome = await handlers.fallback(context, { kind: 'unknown_command' });
    return concludeMessage(context, outcome, { conclusion: { result: 'rejected', reason }, hint });
  }

  async function forward(context: BotContext, senderId: number | undefined): Promise<TurnConclusion> {
    const admin = handlers.adminTools(context);
    if (!admin) return message(context);
    telemetry.emit('MESSAGE_RECEIVED', { payload_sanitized: 'forward' });
    telemetry.annotate({ handler: 'forwarded' });
    telemetry.emit('DEBUG_COMMAND', { operation: 'forwarded message' });
    return concludeMessage(context, await handlers.forwarded(context, admin, senderId));
  }

  async function text(context: BotContext, value: string): Promise<TurnConclusion> {
    beginMessage(context, 'text', lengthOnly(value));
    return concludeMessage(context, await handlers.text(context, value));
  }

  async function file(context: BotContext, incoming: IncomingFile): Promise<TurnConclusion> {
    const { form } = context;
    if (!form) return message(context);
    beginMessage(context, 'file', `file(${incoming.media})`);
    return concludeMessage(context, await handlers.file(context, form, incoming));
  }

  async function message(context: BotContext): Promise<TurnConclusion> {
    beginMessage(context, 'fallback', context.picked.eventType);
    const outcome = await handlers.fallback(context, { kind: 'unexpected_message' });
    return concludeMessage(context, outcome, {
      conclusion: didNothing,
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
      readonly conclusion: { readonly result: 'rejected' | 'noop'; readonly reason: ReasonCode };
      readonly hint: string;
    },
  ): Promise<TurnConclusion> {
    if (outcome.kind === 'thrown') return concludeFault(context, outcome);
    if (outcome.kind === 'rejected') {
      const notice = refusalText(context, outcome);
      parameterEvents.emitRefused(outcome.parameter, { hint: notice, problem: outcome.detail });
      return conclude(context, {
        conclusion: rejectedBy(outcome),
        notice,
        reportable: reasons[outcome.reason].fault,
      });
    }
    if (outcome.kind === 'show') parameterEvents.emitAccepted(outcome.parameter);
    const conclusion = as?.conclusion ?? succeeded;
    return conclude(context, {
      conclusion,
      show: outcome,
      notice: as ? texts.for(context.locale)(as.hint) : noticeOf(context, outcome),
    });
  }

  async function concludeFault(context: BotContext, { error, action }: Thrown): Promise<TurnConclusion> {
    return conclude(context, {
      conclusion: { result: 'failed', reason: 'INTERNAL_ERROR', error },
      notice: reasonText('INTERNAL_ERROR', context.locale, telemetry.cid()),
      alert: true,
      // A report that failed is not to be reported: it would fail again, and the user go round in circles.
      reportable: action !== 'report',
    });
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

  function flowAround({ form }: BotContext): AmbientFields {
    return form ? flowOf(form, catalogue) : {};
  }

  function emitState(context: BotContext): void {
    if (telemetry.isEnabled('STATE_BEFORE')) telemetry.emit('STATE_BEFORE', stateBefore(context, catalogue));
  }

  return { callback, command, forward, text, file, message };
}

const succeeded = { result: 'accepted', reason: 'SUCCESS' } as const;
const didNothing = { result: 'noop', reason: 'NOOP' } as const;

function rejectedBy({ reason, detail, because }: Rejected): Reply['conclusion'] {
  return { result: 'rejected', reason, detail, because };
}

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
