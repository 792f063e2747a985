// Which fault strikes when and whom: decided by the seed alone, before anything runs.
import { type FaultName, faults } from './faults.ts';
import { createRandom, type Random } from './random.ts';

export interface PlannedFault {
  /** Counts from 1. */
  readonly number: number;
  /** Milliseconds after the start. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly name: FaultName;
  /** The instance that it strikes, counted from 1, if it strikes one. */
  readonly instance: number;
  /** Decides what the fault itself leaves open. */
  readonly seed: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly instances: number;
  readonly names: readonly FaultName[];
}

const firstAtMs = 3_000;
/** From the start of a fault to the start of the next. */
const gapMs = [500, 6_000] as const;
/** Now and then everything is well, so that it shows whether all recover. */
const calm = { probability: 0.15, ms: 12_000 } as const;

/** Faults of one kind of target do not overlap: of two at the same proxy the first end would heal both. */
export function planFaults({ seed, durationMs, instances, names }: PlanOptions): PlannedFault[] {
  const random = createRandom(seed);
  const busyUntil = new Map<string, number>();
  const planned: PlannedFault[] = [];
  for (let atMs = firstAtMs; atMs < durationMs; atMs += nextGapMs(random)) {
    const { name } = random.weighted(names.map(each => ({ name: each, weight: faults[each].weight })));
    const instance = random.between(1, instances);
    const kind = faults[name];
    const [least, most] = kind.seconds;
    const wantedMs = Math.round((least + random.next() * (most - least)) * 1_000);
    const lasts = Math.min(wantedMs, durationMs - atMs);
    const faultSeed = random.between(0, 2 ** 31);
    const target = targetOf({ name, instance });
    if ((busyUntil.get(target) ?? 0) > atMs) continue;
    busyUntil.set(target, atMs + lasts + 500);
    planned.push({
      number: planned.length + 1,
      atMs,
      durationMs: lasts,
      name,
      instance,
      seed: faultSeed,
    });
  }
  return planned;
}

/** What only one fault strikes at a time. */
export function targetOf({ name, instance }: Pick<PlannedFault, 'name' | 'instance'>): string {
  const { touches } = faults[name];
  return touches === 'instance' ? `instance ${instance}` : touches;
}

function nextGapMs(random: Random): number {
  return random.chance(calm.probability) ? calm.ms : random.between(...gapMs);
}
