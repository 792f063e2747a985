// How often things ended with which reason, beside how often they did before: by reason, screen, model and release, or
// by fewer of these. Pure arithmetic over what the journal counted.
import type { ReasonCode } from '../otel/reasons.ts';
import type { ReasonCount } from '../storage/journal-store.ts';

/** What is told apart besides the reason. */
export type Dimension = 'screen' | 'model' | 'release';
export const dimensions: readonly Dimension[] = ['screen', 'model', 'release'];

/** A part is undefined where it is not told apart, or where there was none. */
export interface ReasonTrend {
  readonly reasonCode: ReasonCode;
  readonly screenId: string | undefined;
  readonly modelId: string | undefined;
  readonly modelVersion: string | undefined;
  readonly release: string | undefined;
  readonly count: number;
  /** In the period before. */
  readonly before: number;
}

type Kind = Omit<ReasonTrend, 'count' | 'before'>;

/** Trouble first, then the most frequent. What was only before is among it, with a count of 0. */
export function reasonTrends(
  counts: readonly ReasonCount[],
  countsBefore: readonly ReasonCount[],
  told: readonly Dimension[] = dimensions,
): ReasonTrend[] {
  const trends = new Map<string, ReasonTrend>();
  const add = (given: ReasonCount, count: number, before: number): void => {
    const kind = kindOf(given, told);
    const key = JSON.stringify(Object.values(kind).map(part => part ?? null));
    const known = trends.get(key) ?? { ...kind, count: 0, before: 0 };
    trends.set(key, { ...known, count: known.count + count, before: known.before + before });
  };
  for (const given of counts) add(given, given.count, 0);
  for (const given of countsBefore) add(given, 0, given.count);
  return [...trends.values()].toSorted(
    (a, b) => Number(isFine(a)) - Number(isFine(b)) || b.count - a.count || b.before - a.before,
  );
}

function kindOf(
  { reasonCode, screenId, modelId, modelVersion, release }: ReasonCount,
  told: readonly Dimension[],
): Kind {
  const isTold = (dimension: Dimension): boolean => told.includes(dimension);
  return {
    reasonCode,
    screenId: isTold('screen') ? screenId : undefined,
    modelId: isTold('model') ? modelId : undefined,
    modelVersion: isTold('model') ? modelVersion : undefined,
    release: isTold('release') ? release : undefined,
  };
}

function isFine({ reasonCode }: ReasonTrend): boolean {
  return reasonCode === 'SUCCESS' || reasonCode === 'NOOP';
}
