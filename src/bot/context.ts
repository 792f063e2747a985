// What a handler is given, and what it must be: a function from context and arguments to an Outcome of
// the screens its button leads to. No Telegram, no span, no logger is in sight here.
import type { Account } from '../billing/account.ts';
import type { PriceList } from '../billing/price-list.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { AdminDiagnostics, ServiceStatus } from '../diagnosis/admin-diagnostics.ts';
import type { LinkRules } from '../kie/link.ts';
import type { Locale } from '../locales.ts';
import type { DebugLevel } from '../otel/debug-level.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Form } from '../pipeline/form.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { IncomingFile } from '../telegram/incoming-file.ts';
import type { Outcome } from '../ui/outcome.ts';
import type {
  ArgsOf,
  ButtonName,
  ButtonTarget,
  buttons,
  CommandName,
  commands,
  fallback,
  fileInput,
  forwardInput,
  textInput,
} from '../ui/registry.ts';
import type { ScreenId, ScreenRecord } from '../ui/screens.ts';

export interface HandlerUser {
  /** A private chat has the id of its user. */
  readonly chatId: number;
  readonly locale: Locale;
  /** Texts that they write may stand in telemetry. */
  readonly promptConsent: boolean;
}

/** What administrators may do besides. */
export interface AdminTools {
  /** 16 digits: to leave their own actions out. */
  readonly userHash: string;
  readonly diagnostics: AdminDiagnostics;
  readonly debugLevel: Pick<DebugLevel, 'enable' | 'disable' | 'state'>;
  status(): Promise<ServiceStatus>;
  /** By @name or number; undefined when the bot has never seen anybody by that name. */
  findUser(who: string): Promise<string | undefined>;
}

/** The way to the administrators for somebody who met a problem. */
export interface Reports {
  /** `too_often`: this user has reported within the last ten minutes. `nobody`: no administrator could be reached. */
  report(user: HandlerUser): Promise<'reported' | 'too_often' | 'nobody'>;
}

/** What users may ask about their own data. */
export interface PersonalData {
  /** For how many days the journal is kept; 0 where there is none. */
  readonly journalDays: number;
  /** Whether texts may stand in telemetry from now on. */
  allowTexts(user: HandlerUser, allowed: boolean): Promise<void>;
  /** A generation runs, money is held, or a result is on its way: nothing can be erased now. */
  isBusy(user: HandlerUser): Promise<boolean>;
  /** Once in a minute. */
  admitsExport(user: HandlerUser): boolean;
}

/** What handlers work with, the same for every update. A service is one line here, and one where it is made. */
export interface HandlerServices {
  readonly catalogue: Catalogue;
  readonly account: Account;
  readonly pipeline: Pipeline;
  /** Which links may be inputs. */
  readonly linkRules: LinkRules;
  readonly reports: Reports;
  readonly personalData: PersonalData;
}

export interface HandlerContext extends HandlerServices {
  readonly user: HandlerUser;
  /** As they are at the time of the update. */
  readonly prices: Omit<PriceList, 'at'>;
  /** Only of an administrator. */
  readonly admin: AdminTools | undefined;
  /** The form the user is filling in, if any. */
  readonly form: Form | undefined;
  /** The screen of the tapped message as it was rendered; undefined for commands and messages. */
  readonly screen:
    | { readonly id: ScreenId; readonly record: ScreenRecord; readonly messageId: number }
    | undefined;
}

type AdminContext = HandlerContext & { readonly admin: AdminTools };

/**
 * A button that carries its draft is called only while that very revision is the user's form, and one of the
 * administrators only for them.
 */
type ContextOf<B extends ButtonName> = (typeof buttons)[B] extends { draft: true }
  ? HandlerContext & { readonly form: Form }
  : (typeof buttons)[B] extends { admin: true }
    ? AdminContext
    : HandlerContext;

export type Handler<B extends ButtonName> = (
  context: ContextOf<B>,
  args: ArgsOf<B>,
) => Promise<Outcome<ButtonTarget<B>>>;
/** `argument`: what stands behind the command. */
export type CommandHandler<C extends CommandName> = (
  context: (typeof commands)[C] extends { admin: true } ? AdminContext : HandlerContext,
  argument: string,
) => Promise<Outcome<(typeof commands)[C]['to'][number]>>;
export type TextHandler = (
  context: HandlerContext,
  text: string,
) => Promise<Outcome<(typeof textInput)['to'][number]>>;
/** Called for a file while a form is open. */
export type FileHandler = (
  context: HandlerContext & { readonly form: Form },
  file: IncomingFile,
) => Promise<Outcome<(typeof fileInput)['to'][number]>>;
/** Called for a message that an administrator forwards; without a sender where Telegram hides who that is. */
export type ForwardHandler = (
  context: AdminContext,
  senderId: number | undefined,
) => Promise<Outcome<(typeof forwardInput)['to'][number]>>;
/** Called for what nothing else takes: shows where the user is, or offers the menu. */
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
  readonly file: FileHandler;
  readonly forwarded: ForwardHandler;
  readonly fallback: FallbackHandler;
}
