// What a handler is given, and what it must be: a function from context and arguments to an Outcome of
// the screens its button leads to. No Telegram, no span, no logger is in sight here.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Form } from '../pipeline/form.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Outcome } from '../ui/outcome.ts';
import type {
  ArgsOf,
  ButtonName,
  ButtonTarget,
  buttons,
  CommandName,
  commands,
  fallback,
  textInput,
} from '../ui/registry.ts';
import type { ScreenId, ScreenRecord } from '../ui/screens.ts';

export interface HandlerUser {
  /** A private chat has the id of its user. */
  readonly chatId: number;
  readonly locale: Locale;
}

export interface HandlerContext {
  readonly user: HandlerUser;
  readonly catalogue: Catalogue;
  readonly pipeline: Pipeline;
  /** The form the user is filling in, if any. */
  readonly form: Form | undefined;
  /** The screen of the tapped message as it was rendered; undefined for commands and messages. */
  readonly screen:
    | { readonly id: ScreenId; readonly record: ScreenRecord; readonly messageId: number }
    | undefined;
}

/** A button that carries its draft is called only while that very revision is the user's form. */
type ContextOf<B extends ButtonName> = (typeof buttons)[B] extends { draft: true }
  ? HandlerContext & { readonly form: Form }
  : HandlerContext;

export type Handler<B extends ButtonName> = (
  context: ContextOf<B>,
  args: ArgsOf<B>,
) => Promise<Outcome<ButtonTarget<B>>>;
export type CommandHandler<C extends CommandName> = (
  context: HandlerContext,
) => Promise<Outcome<(typeof commands)[C]['to'][number]>>;
export type TextHandler = (
  context: HandlerContext,
  text: string,
) => Promise<Outcome<(typeof textInput)['to'][number]>>;
/** Called for what nothing else takes: tells where the user is, or offers the menu. */
export type FallbackHandler = (
  context: HandlerContext,
  cause: FallbackCause,
) => Promise<Outcome<(typeof fallback)['to'][number]>>;

export type FallbackCause =
  | { readonly kind: 'unknown_command' }
  | { readonly kind: 'unexpected_message' }
  | { readonly kind: 'stale_button'; readonly reason: ReasonCode };

export interface Handlers {
  readonly buttons: { readonly [B in ButtonName]: Handler<B> };
  readonly commands: { readonly [C in CommandName]: CommandHandler<C> };
  readonly text: TextHandler;
  readonly fallback: FallbackHandler;
}
