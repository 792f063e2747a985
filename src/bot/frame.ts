// The one frame around every handler: it routes taps, commands and messages, has each tap judged, calls the
// handler, and turns its Outcome into the event chain and an ending that the user sees. Handlers return an
// Outcome; nobody else decides what is said. The conclusion is left on the context and committed by the caller
// afterwards: a crash in between renders twice rather than not at all.
import type { Catalogue } from '../catalogue/catalogue.ts';
import { errorType } from '../errors.ts';
import { lengthOnly, sanitizePayload } from '../otel/privacy.ts';
import { type ReasonCode, reasons, reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { isConnectionLost } from '../storage/database.ts';
import { decodeButton } from '../ui/codec.ts';
import { type Outcome, type ParameterInput, type Rejected, rejected } from '../ui/outcome.ts';
import { type ButtonName, buttonId, commands } from '../ui/registry.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import { createConclude } from './conclude.ts';
import type { FallbackCause, HandlerContext, Handlers } from './context.ts';
import { judge } from './judge.ts';

export interface FrameOptions {
  readonly handlers: Handlers;
  readonly catalogue: Catalogue;
  readonly pipeline: Pipeline;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
}

/** Each leaves a conclusion on the context. Throws only for what another attempt may cure. */
export interface Frame {
  callback(context: BotContext, data: string): Promise<void>;
  command(context: BotContext, name: string): Promise<void>;
  text(context: BotContext, text: string): Promise<void>;
  /** A message of a kind that nothing asked for. */
  message(context: BotContext): Promise<void>;
}

interface Thrown {
  readonly kind: 'thrown';
  readonly error: unknown;
}

export function createFrame(options: FrameOptions): Frame {
  const { handlers, texts, telemetry, catalogue, pipeline } = options;
  const conclude = createConclude(options);

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
    const outcome = judge(context, button, args, data) ?? (await guarded(() => press(context, button, args)));
    if (outcome.kind === 'rejected') await refuseTap(context, id, outcome);
    else if (outcome.kind === 'thrown') await failTap(context, id, outcome.error);
    else await acceptTap(context, id, data, outcome);
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
  ): Promise<void> {
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
    await conclude(context, { verdict, show: outcome, accepted: data });
  }

  async function refuseTap(context: BotContext, id: string, outcome: Rejected): Promise<void> {
    const notice = refusalText(context, outcome);
    emitParameter(outcome.parameter, notice);
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
    await conclude(context, {
      verdict: { result: 'rejected', reason: outcome.reason, detail: outcome.detail },
      show: recovery?.kind === 'show' ? recovery : undefined,
      notice,
      alert: reasons[outcome.reason].fault,
    });
  }

  async function failTap(context: BotContext, id: string, error: unknown): Promise<void> {
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'failed',
      reason_code: 'INTERNAL_ERROR',
      reason_text: reasons.INTERNAL_ERROR.meaning,
      button_id: id,
      error_type: errorType(error),
    });
    await concludeFault(context, error);
  }

  async function command(context: BotContext, name: string): Promise<void> {
    telemetry.emit('COMMAND_RECEIVED', { payload_sanitized: sanitizePayload(`/${name}`) });
    if (isCommand(name)) {
      telemetry.annotate({ handler: name, action_id: name });
      telemetry.emit('COMMAND_START', { handler: name, action_id: name });
      await concludeMessage(context, await guarded(() => handlers.commands[name](handlerContext(context))));
      return;
    }
    telemetry.emit('COMMAND_REJECTED', {
      reason_code: 'UNKNOWN_ACTION',
      reason_text: reasons.UNKNOWN_ACTION.meaning,
      action_id: sanitizePayload(name),
    });
    const outcome = await guarded(() => callFallback(context, { kind: 'unknown_command' }));
    await concludeMessage(context, outcome, {
      verdict: { result: 'rejected', reason: 'UNKNOWN_ACTION' },
      hint: context.form ? 'hint-unknown-command-form' : 'hint-unknown-command',
    });
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
    await concludeMessage(context, outcome, {
      verdict: { result: 'noop', reason: 'NOOP' },
      hint: context.form ? 'hint-continue' : 'hint-unexpected',
    });
  }

  /** Ends a command or a message; `as` says what a shown screen counts as, when it is not plain success. */
  async function concludeMessage(
    context: BotContext,
    outcome: Outcome | Thrown,
    as?: {
      readonly verdict: { readonly result: 'rejected' | 'noop'; readonly reason: ReasonCode };
      readonly hint: string;
    },
  ): Promise<void> {
    if (outcome.kind === 'thrown') {
      await concludeFault(context, outcome.error);
    } else if (outcome.kind === 'rejected') {
      const notice = refusalText(context, outcome);
      emitParameter(outcome.parameter, notice);
      const verdict = { result: 'rejected', reason: outcome.reason, detail: outcome.detail } as const;
      await conclude(context, { verdict, notice });
    } else {
      if (outcome.kind === 'show') emitParameter(outcome.parameter);
      const verdict = as?.verdict ?? ({ result: 'accepted', reason: 'SUCCESS' } as const);
      await conclude(context, { verdict, show: outcome, notice: as && texts.for(context.locale)(as.hint) });
    }
  }

  async function concludeFault(context: BotContext, error: unknown): Promise<void> {
    await conclude(context, {
      verdict: { result: 'failed', reason: 'INTERNAL_ERROR', error },
      notice: reasonText('INTERNAL_ERROR', context.locale, telemetry.cid()),
      alert: true,
    });
  }

  function callFallback(context: BotContext, cause: FallbackCause): Promise<Outcome> {
    return handlers.fallback(handlerContext(context), cause);
  }

  function refusalText(context: BotContext, { hint, reason }: Rejected): string {
    if (hint) return texts.for(context.locale)(hint.key, hint.variables);
    return reasonText(reason, context.locale, telemetry.cid());
  }

  /** With a hint the value was refused, and that is what the user was told. */
  function emitParameter(
    parameter: (ParameterInput & { allowed?: string }) | undefined,
    hint?: string,
  ): void {
    if (!parameter) return;
    const input = { param_name: parameter.name, value: parameter.value };
    telemetry.emit('PARAM_INPUT', { ...input, source: parameter.source });
    if (hint === undefined) telemetry.emit('PARAM_ACCEPTED', input);
    else {
      telemetry.emit('PARAM_VALIDATION_FAILED', {
        ...input,
        reason_code: 'VALIDATION_FAILED',
        hint_to_user: hint,
        allowed: parameter.allowed,
      });
    }
  }

  function handlerContext(context: BotContext): HandlerContext {
    const { form, screen, locale } = context;
    return { user: { chatId: context.picked.lane, locale }, catalogue, pipeline, form, screen };
  }

  return { callback, command, text, message };
}

/** A handler that throws ends its update; only a lost database is left to another attempt. */
async function guarded(work: () => Promise<Outcome>): Promise<Outcome | Thrown> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return { kind: 'thrown', error };
  }
}

/** Refusals after which the message goes on being usable as it is. */
const harmless: ReadonlySet<ReasonCode> = new Set([
  'DUPLICATE_ACTION',
  'VALIDATION_FAILED',
  'MODEL_DISABLED',
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

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}
