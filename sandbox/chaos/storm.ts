// Carries out a plan of faults: each begins and ends at its time. Remembers what was really done, and when.
import { errorMessage } from '../../src/errors.ts';
import type { Period, StruckFault } from '../history/history.ts';
import type { FaultKind } from './fault.ts';
import { type FaultName, faults } from './faults.ts';
import type { Ground } from './ground.ts';
import { type PlannedFault, targetOf } from './plan.ts';
import { createRandom } from './random.ts';
import type { Slot } from './slot.ts';

export interface Storm {
  readonly done: readonly DoneFault[];
  /** Whether a fault keeps this instance from working now, or did until a moment ago. */
  isStruck(slot: Pick<Slot, 'number'>): boolean;
  /** When no message was sure to reach anybody. */
  silences(): Period[];
  /** Resolves when every fault has begun and ended. */
  readonly over: Promise<void>;
  /** Begins no further one. */
  stop(): void;
}

/** Times are Unix milliseconds. */
export interface DoneFault {
  readonly number: number;
  readonly name: FaultName;
  readonly instance: number;
  readonly from: number;
  /** Undefined while it lasts. */
  readonly to: number | undefined;
  /** Why it could not be begun or ended. */
  readonly failure: string | undefined;
  /** How much it has hit; see Strike. */
  readonly hits: number;
  /** How often what it does again and again has failed. */
  readonly failures: number;
}

export interface StormOptions {
  readonly ground: Ground;
  readonly plan: readonly PlannedFault[];
  readonly onChange: (fault: DoneFault) => void;
  /** For how long a fault that has hit nothing goes on after its time. */
  readonly lingerMs?: number;
}

/**
 * What a fault leaves behind is not worked off at once: a call of the Bot API that hangs, for example, holds its chat
 * until the deadline of the update.
 */
const recoveryMs = { instance: 3_000, everything: 3_000, telegram: 10_000, supplier: 0 } as const;
/** Some calls are rare, and a fault of theirs short. */
const defaultLingerMs = 30_000;
const lookEveryMs = 50;
/** Of a fault that can neither begin nor end, such as a statement that nobody answers. */
const stuckMs = 60_000;

function recoveryMsOf(name: FaultName): number {
  const { touches, recoverySeconds } = faults[name];
  return recoverySeconds === undefined ? recoveryMs[touches] : recoverySeconds * 1_000;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function startStorm({ ground, plan, onChange, lingerMs = defaultLingerMs }: StormOptions): Storm {
  const done: Mutable<DoneFault>[] = [];
  const ending = new AbortController();
  const startedAt = performance.now();
  /** The newest one of each target. */
  const struckTargets = new Map<string, Promise<void>>();

  /** One that lasts longer than was planned puts the next one at its target off. */
  async function takeTurn(planned: PlannedFault): Promise<void> {
    await sleep(planned.atMs - (performance.now() - startedAt), ending.signal);
    const target = targetOf(planned);
    const turn = (struckTargets.get(target) ?? Promise.resolve()).then(() => carryOut(planned));
    struckTargets.set(target, turn);
    await turn;
  }

  async function carryOut(planned: PlannedFault): Promise<void> {
    const slot = ground.slots[planned.instance - 1];
    if (ending.signal.aborted || slot === undefined) return;
    const fault: Mutable<DoneFault> = {
      number: planned.number,
      name: planned.name,
      instance: planned.instance,
      from: Date.now(),
      to: undefined,
      failure: undefined,
      hits: 0,
      failures: 0,
    };
    done.push(fault);
    onChange(fault);
    try {
      const occasion = { slot, random: createRandom(planned.seed), number: planned.number };
      const strike = await within(stuckMs, faults[planned.name].begin(ground, occasion));
      await sleep(planned.durationMs, ending.signal);
      const patientUntil = performance.now() + lingerMs;
      while (strike.hits() <= 0 && performance.now() < patientUntil && !ending.signal.aborted)
        await sleep(lookEveryMs, ending.signal);
      // What ends it may look like a hit, such as cutting connections.
      fault.hits = Math.max(0, strike.hits());
      await within(stuckMs, strike.end());
      fault.failures = strike.failures?.() ?? 0;
    } catch (error) {
      fault.failure = errorMessage(error);
    }
    fault.to = Date.now();
    onChange(fault);
  }

  return {
    done,
    isStruck: slot =>
      done.some(({ name, instance, to }) => {
        const { touches, leavesAWay }: FaultKind = faults[name];
        if (leavesAWay || touches === 'supplier' || (touches === 'instance' && instance !== slot.number))
          return false;
        return to === undefined || Date.now() < to + recoveryMsOf(name);
      }),
    silences: () =>
      done
        .filter(({ name }) => ['telegram', 'everything'].includes(faults[name].touches))
        .map(({ name, from, to }) => ({ from, to: (to ?? Date.now()) + recoveryMsOf(name) })),
    over: Promise.all(plan.map(takeTurn)).then(() => undefined),
    stop: () => ending.abort(),
  };
}

/** Each kind once. */
export function struckFaults(done: readonly DoneFault[]): StruckFault[] {
  return [...Map.groupBy(done, ({ name }) => name)].map(([name, all]) => ({
    name,
    occasions: all.length,
    hits: all.reduce((sum, { hits }) => sum + hits, 0),
  }));
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted || ms <= 0) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function within<T>(ms: number, work: Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
