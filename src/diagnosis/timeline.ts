// The session of one user, put together from the chains of their updates: what they did, on which screen it left them,
// how it ended, what became of the generation and of the money. Oldest first, as it happened. Telegram brings an update
// again until it is stored, each time under a new cid: that is one thing that the user did.
import type { Locale } from '../locales.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Cause } from './causes.ts';
import { beginOf, type Chain, type ChainEvent, isUpdateEnd, numberOf, textOf, updateIdOf } from './chain.ts';
import { factsOf } from './facts.ts';
import { modelTitle, screenName } from './names.ts';
import { didOf, moneyOf } from './sentence-parts.ts';
import type { Surroundings } from './surroundings.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface TimelineEntry {
  /** Of its first delivery. */
  readonly at: Date;
  /** Of the delivery that was stored, or of the last one. */
  readonly cid: string;
  readonly traceId: string;
  /** What the user did; texts only by their length. */
  readonly did: string;
  /** How often Telegram brought it. */
  readonly deliveries: number;
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
  const entries = deliveriesOf(chains).flatMap(deliveries => {
    const chain = chainThatCounts(deliveries);
    const facts = factsOf(chain, surroundings);
    const did = didOf(facts, locale);
    if (did === undefined) return [];
    const shown = textOf(facts.last('UI_RENDER'), 'screen_id');
    const model = facts.task?.modelId;
    return [
      {
        at: new Date(Math.min(...deliveries.map(delivery => beginOf(delivery).getTime()))),
        cid: chain.cid,
        traceId: chain.traceId,
        did,
        deliveries: deliveries.length,
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

/** The chains of one update stand together. Those of no update stay alone. */
function deliveriesOf(chains: readonly Chain[]): Chain[][] {
  return [...Map.groupBy(chains, chain => updateIdOf(chain) ?? chain.traceId).values()];
}

/** What was done with the update stands in the chain of the delivery that was stored. */
function chainThatCounts(deliveries: readonly Chain[]): Chain {
  const oldestFirst = deliveries.toSorted((a, b) => beginOf(a).getTime() - beginOf(b).getTime());
  const stored = oldestFirst.find(({ events }) => events.some(event => isWork(event)));
  // SAFETY: groups are made of chains, so none is empty.
  return stored ?? (oldestFirst.at(-1) as Chain);
}

/** Found in no chain of a delivery that was refused, or that repeats a stored one. */
function isWork(event: ChainEvent): boolean {
  return isUpdateEnd(event) || workNames.has(event.name);
}

const workNames: ReadonlySet<string> = new Set(['QUEUE_ENQUEUE', 'QUEUE_PICK', 'CALLBACK_REJECTED']);
