// Calls handlers: gives each what it works with, and a share of the time that its update has. A handler that throws, or
// does not end in time, makes a Thrown; only a lost database is thrown on, because another attempt may cure it.
import type { PriceList } from '../billing/price-list.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Form } from '../pipeline/form.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import { inTime } from '../telegram/call-deadline.ts';
import type { IncomingFile } from '../telegram/incoming-file.ts';
import type { Outcome } from '../ui/outcome.ts';
import type { ButtonName, CommandName } from '../ui/registry.ts';
import type { BotContext } from './bot-context.ts';
import type { AdminTools, FallbackCause, HandlerContext, HandlerServices, Handlers } from './context.ts';

export interface HandlerCallsOptions {
  readonly handlers: Handlers;
  readonly services: HandlerServices;
  readonly prices: PriceList;
  /** For the administrator with this id. */
  readonly adminTools: (userId: number) => AdminTools;
  readonly telemetry: Telemetry;
}

/** A handler's fault. */
export interface Thrown {
  readonly kind: 'thrown';
  readonly error: unknown;
  /** What was to be done. */
  readonly action: ButtonName | CommandName | undefined;
}

type Called = Promise<Outcome | Thrown>;

export interface HandlerCalls {
  /** `args` as the codec parsed them for this button; a button with a draft only once its tap was judged. */
  button(context: BotContext, name: ButtonName, args: readonly (string | number)[]): Called;
  /** A command of the administrators only for one of them. */
  command(context: BotContext, name: CommandName, argument: string): Called;
  forwarded(context: BotContext, admin: AdminTools, senderId: number | undefined): Called;
  text(context: BotContext, text: string): Called;
  file(context: BotContext, form: Form, file: IncomingFile): Called;
  fallback(context: BotContext, cause: FallbackCause): Called;
  /** undefined for everybody but administrators. */
  adminTools(context: BotContext): AdminTools | undefined;
}

/** Of the time that the update has left; the rest is for the reply. */
const handlerShare = 0.75;

export function createHandlerCalls(options: HandlerCallsOptions): HandlerCalls {
  const { handlers, services, prices, telemetry } = options;

  function adminTools(context: BotContext): AdminTools | undefined {
    return context.isAdmin && context.from ? options.adminTools(context.from.id) : undefined;
  }

  function given(context: BotContext): HandlerContext {
    const { form, screen, locale } = context;
    const promptConsent = context.picked.user?.promptConsent ?? false;
    const user = { chatId: context.picked.lane, locale, promptConsent };
    return {
      ...services,
      user,
      prices: prices.at(context.picked.receivedAt),
      admin: adminTools(context),
      form,
      screen,
    };
  }

  async function call(work: () => Promise<Outcome>, action?: ButtonName | CommandName): Called {
    try {
      return await inTime(handlerShare, work, error =>
        telemetry.warn('end of a handler that was given up', error),
      );
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return { kind: 'thrown', error, action };
    }
  }

  return {
    adminTools,
    button: (context, name, args) =>
      call(() => {
        // SAFETY: the codec parsed `args` with this button's own schema, and `judge` found the form that buttons with
        // a draft need; the table itself is fully typed, only this one dynamic step cannot be.
        const handler = handlers.buttons[name] as (
          context: HandlerContext,
          args: readonly (string | number)[],
        ) => Promise<Outcome>;
        return handler(given(context), args);
      }, name),
    command: (context, name, argument) =>
      call(() => {
        // SAFETY: a command of the administrators gets here for them only, and then the context has their tools; the
        // table itself is fully typed, only this one dynamic step cannot be.
        const handler = handlers.commands[name] as (
          context: HandlerContext,
          argument: string,
        ) => Promise<Outcome>;
        return handler(given(context), argument);
      }, name),
    forwarded: (context, admin, senderId) =>
      call(() => handlers.forwarded({ ...given(context), admin }, senderId)),
    text: (context, text) => call(() => handlers.text(given(context), text)),
    file: (context, form, file) => call(() => handlers.file({ ...given(context), form }, file)),
    fallback: (context, cause) => call(() => handlers.fallback(given(context), cause)),
  };
}
