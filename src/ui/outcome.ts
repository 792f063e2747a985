// What a handler may say, and nothing else: show a screen, refuse with a reason, or do nothing on
// purpose. The union is closed, so a handler that says nothing does not compile.
import type { ParameterSource } from '../otel/fields.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { ScreenData, ScreenId } from './screens.ts';

/** A value that the user gave; `value` is safe to log (free text only as its length). */
export interface ParameterInput {
  readonly name: string;
  readonly value: string;
  readonly source: ParameterSource;
}

export interface ShowOptions {
  readonly parameter?: ParameterInput;
  /** Runs once the outcome is committed; for work that must not overtake the screen it follows. */
  readonly afterCommit?: () => Promise<void>;
}

export interface Show<S extends ScreenId> extends ShowOptions {
  readonly kind: 'show';
  readonly screen: S;
  readonly data: ScreenData[S];
}

export interface RejectedDetails {
  readonly detail?: string | undefined;
  readonly expected?: string;
  readonly actual?: string;
  /** A sentence for the user (key of a text) that is more precise than the reason's own. */
  readonly hint?: { readonly key: string; readonly variables?: Readonly<Record<string, string | number>> };
  readonly parameter?: ParameterInput & { readonly allowed: string };
}

export interface Rejected extends RejectedDetails {
  readonly kind: 'rejected';
  readonly reason: Exclude<ReasonCode, 'SUCCESS' | 'NOOP'>;
}

export interface Noop {
  readonly kind: 'noop';
}

/** Show<A> | Show<B> … rather than Show<A | B>, so that a screen always comes with its own data. */
type ShowOneOf<S extends ScreenId> = { [K in S]: Show<K> }[S];

export type Outcome<S extends ScreenId = ScreenId> = ShowOneOf<S> | Rejected | Noop;

export function show<S extends ScreenId>(screen: S, data: ScreenData[S], options: ShowOptions = {}): Show<S> {
  return { kind: 'show', screen, data, ...options };
}

export function rejected(reason: Rejected['reason'], details: RejectedDetails = {}): Rejected {
  return { kind: 'rejected', reason, ...details };
}

/**
 * The tap counts, and there is nothing to show.
 * @public part of what a handler may say, used or not
 */
export function noop(): Noop {
  return { kind: 'noop' };
}
