// How often things ended with which reason, beside how often they did before: by reason, screen, model and release, or
// by fewer of these; and how often the processes warned of what. Pure arithmetic over what the journal counted.
import type { ReasonCode } from '../otel/reasons.ts';
import type { ProcessCount, ReasonCount } from '../storage/journal-counts.ts';

/** What counts are split by, besides the reason. */
export type Dimension = 'screen' | 'model' | 'release';
export const dimensions: readonly Dimension[] = ['screen', 'model', 'release'];

interface Trend {
  readonly count: number;
  /** In the period before. */
  readonly before: number;
}

/** A part is undefined where counts are not split by it, or where there was none. */
interface ReasonKind {
  readonly reasonCode: ReasonCode;
  readonly screenId: string | undefined;
  readonly modelId: string | undefined;
  readonly modelVersion: string | undefined;
  readonly release: string | undefined;
}

export type ReasonTrend = ReasonKind & Trend;

/** Of what processes warned of; `release` is undefined where counts are not split by it. */
export type ProcessTrend = Omit<ProcessCount, 'count' | 'release'> & {
  readonly release: string | undefined;
} & Trend;

/** Trouble first, then the most frequent. What was only before is among it, with a count of 0. */
export function reasonTrends(
  counts: readonly ReasonCount[],
  countsBefore: readonly ReasonCount[],
  by: readonly Dimension[] = dimensions,
): ReasonTrend[] {
  return addUp(counts, countsBefore, given => kindOf(given, by)).toSorted(
    (a, b) => Number(isFine(a)) - Number(isFine(b)) || byCount(a, b),
  );
}

/** The most frequent first. What was only before is among it, with a count of 0. */
export function processTrends(
  counts: readonly ProcessCount[],
  countsBefore: readonly ProcessCount[],
  by: readonly Dimension[] = dimensions,
): ProcessTrend[] {
  return addUp(counts, countsBefore, ({ event, operation, reasonCode, release }) => ({
    event,
    operation,
    reasonCode,
    release: by.includes('release') ? release : undefined,
  })).toSorted(byCount);
}

function addUp<Given extends { readonly count: number }, Kind extends object>(
  counts: readonly Given[],
  countsBefore: readonly Given[],
  kindOf: (given: Given) => Kind,
): (Kind & Trend)[] {
  const trends = new Map<string, Kind & Trend>();
  const add = (given: Given, count: number, before: number): void => {
    const kind = kindOf(given);
    const key = JSON.stringify(Object.values(kind).map(part => part ?? null));
    const known = trends.get(key) ?? { ...kind, count: 0, before: 0 };
    trends.set(key, { ...known, count: known.count + count, before: known.before + before });
  };
  for (const given of counts) add(given, given.count, 0);
  for (const given of countsBefore) add(given, 0, given.count);
  return [...trends.values()];
}

function byCount(a: Trend, b: Trend): number {
  return b.count - a.count || b.before - a.before;
}

function kindOf(
  { reasonCode, screenId, modelId, modelVersion, release }: ReasonCount,
  by: readonly Dimension[],
): ReasonKind {
  const isSplit = (dimension: Dimension): boolean => by.includes(dimension);
  return {
    reasonCode,
    screenId: isSplit('screen') ? screenId : undefined,
    modelId: isSplit('model') ? modelId : undefined,
    modelVersion: isSplit('model') ? modelVersion : undefined,
    release: isSplit('release') ? release : undefined,
  };
}

function isFine({ reasonCode }: ReasonKind): boolean {
  return reasonCode === 'SUCCESS' || reasonCode === 'NOOP';
}
