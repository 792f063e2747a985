// What a handler may say, and nothing else: show a screen, refuse with a reason, or do nothing on
// purpose. The union is closed, so a handler that says nothing does not compile.
import type { FollowUp } from '../inbox/follow-up.ts';
import type { FieldsOf } from '../otel/event-seam.ts';
import type { DetailCodeOf } from '../otel/events.ts';
import type { ParameterSource } from '../otel/fields.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { ScreenData, ScreenId } from './screens.ts';

/** A value that the user gave; `value` is safe to log (free text only as its length). */
export interface ParameterInput {
  readonly name: string;
  readonly value: string;
  readonly source: ParameterSource;
  /** The text itself, of a user who has allowed that: for PARAM_INPUT alone, in the place of `value`. */
  readonly allowedText?: string;
}

export interface ShowOptions {
  readonly parameter?: ParameterInput;
  /** Takes the place of the screen that the user sees, where a message would otherwise get one of its own. */
  readonly replaces?: boolean;
  /** Gets a message of its own, where a tap would otherwise put it in the place of what was tapped. */
  readonly apart?: boolean;
  /** To be done once the outcome is committed; for work that must not overtake the screen it follows. */
  readonly followUps?: readonly FollowUp[];
}

export interface Show<S extends ScreenId> extends ShowOptions {
  readonly kind: 'show';
  readonly screen: S;
  readonly data: ScreenData[S];
}

/** A sentence for the user: the key of a text and what is inserted. */
export interface Hint {
  readonly key: string;
  readonly variables?: Readonly<Record<string, string | number>>;
}

/** The particular case of a refusal; `model_id` and `amount` (kopecks) where it is about them. */
export type Because = Pick<FieldsOf<'CALLBACK_REJECTED'>, 'detail_code' | 'model_id' | 'amount'>;

export interface RejectedDetails {
  /** What this very case adds to the reason, for an operator to read. */
  readonly detail?: string | undefined;
  /** The same as fields, where it is a case that the diagnosis tells apart. */
  readonly because?: Because;
  readonly expected?: string;
  readonly actual?: string;
  /** More precise than the reason's own text. */
  readonly hint?: Hint;
  readonly parameter?: ParameterInput & {
    readonly allowed: string;
    readonly problem: DetailCodeOf<'PARAM_VALIDATION_FAILED'>;
  };
}

export interface Rejected extends RejectedDetails {
  readonly kind: 'rejected';
  readonly reason: Exclude<ReasonCode, 'SUCCESS' | 'NOOP'>;
}

export interface Noop extends Pick<ShowOptions, 'followUps'> {
  readonly kind: 'noop';
  readonly hint?: Hint;
}

/** Show<A> | Show<B> … rather than Show<A | B>, so that a screen always comes with its own data. */
type ShowOneOf<S extends ScreenId> = { [K in S]: Show<K> }[S];

export type Outcome<S extends ScreenId = ScreenId> = ShowOneOf<S> | Rejected | Noop;

/** The handler did what was asked, and this screen is what the user sees next. */
export function show<S extends ScreenId>(screen: S, data: ScreenData[S], options: ShowOptions = {}): Show<S> {
  return { kind: 'show', screen, data, ...options };
}

/** Nothing was done; the user reads the sentence of the reason, or the hint. */
export function rejected(reason: Rejected['reason'], details: RejectedDetails = {}): Rejected {
  return { kind: 'rejected', reason, ...details };
}

/** The tap counts, and there is no screen to show; the hint says what happens instead. */
export function noop(hint: Hint, options: Pick<ShowOptions, 'followUps'> = {}): Noop {
  return { kind: 'noop', hint, ...options };
}
