// What a cause is: one entry of data in the tables of causes/. An entry says in which facts it is recognized, how sure
// that makes us, and what an administrator reads. The words in braces are filled in from the facts (sentence-values.ts).
import type { Localized } from '../locales.ts';
import type { EventName } from '../otel/events.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Facts } from './facts.ts';

export type Confidence = 'high' | 'medium' | 'low';

export interface CauseText {
  /** What happened and why, as a clause that follows what the user did. */
  readonly what: string;
  /** What to do now, as a clause. */
  readonly next: string;
}

export interface CauseDefinition extends Localized<CauseText> {
  /** When nothing that could change it is missing. */
  readonly confidence: Confidence;
  /** The events that show it. */
  readonly events: readonly EventName[];
  /** The reason codes that show it. */
  readonly reasons: readonly ReasonCode[];
  /** Asked in the order of the tables; the first that is true is the cause. */
  is(facts: Facts): boolean;
}

export const define = <const C extends Record<string, CauseDefinition>>(causes: C): Readonly<C> => causes;
