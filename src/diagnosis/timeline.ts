// The session of one user, put together from the chains of their updates: what they did, on which screen it left them,
// how it ended, what became of the generation and of the money. Oldest first, as it happened.
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Cause } from './causes.ts';
import { beginOf, type Chain, numberOf, textOf } from './chain.ts';
import { factsOf } from './facts.ts';
import { modelTitle, screenName } from './names.ts';
import type { Surroundings } from './surroundings.ts';
import { didOf, moneyOf } from './telling.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface TimelineEntry {
  readonly at: Date;
  readonly cid: string;
  readonly traceId: string;
  /** What the user did; texts only by their length. */
  readonly did: string;
  /** The screen that was shown last, by its title; undefined where none was. */
  readonly screen: string | undefined;
  readonly reason: ReasonCode | undefined;
  readonly cause: Cause | Verdict['cause'];
  /** From the receipt to the outcome. */
  readonly latencyMs: number | undefined;
  readonly model: string | undefined;
  readonly money: string | undefined;
}

/** Leaves out chains in which no user did anything. */
export function timelineOf(
  chains: readonly Chain[],
  locale: Locale,
  surroundings: Surroundings = {},
): TimelineEntry[] {
  const entries = chains.flatMap(chain => {
    const facts = factsOf(chain, surroundings);
    const did = didOf(facts, locale);
    if (did === undefined) return [];
    const shown = textOf(facts.last('UI_RENDER'), 'screen_id');
    const model = facts.task?.modelId;
    return [
      {
        at: beginOf(chain),
        cid: chain.cid,
        traceId: chain.traceId,
        did,
        screen: shown === undefined ? undefined : screenName(shown, locale),
        reason: facts.reason,
        cause: verdictOf(chain, locale, surroundings).cause,
        latencyMs: numberOf(facts.end, 'latency_ms'),
        model: model === undefined ? undefined : modelTitle(model),
        money: moneyOf(facts, locale),
      },
    ];
  });
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}
