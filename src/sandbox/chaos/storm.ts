// Carries out a plan of faults: each begins and ends at its time. Remembers what was really done, and when.
import { errorMessage } from '../../errors.ts';
import type { Period } from '../history/history.ts';
import type { FaultKind } from './fault.ts';
import { type FaultName, faults } from './faults.ts';
import type { Ground } from './ground.ts';
import type { PlannedFault } from './plan.ts';
import { createRandom } from './random.ts';
import type { Slot } from './slot.ts';

export interface Storm {
  readonly done: readonly DoneFault[];
  /** Whether a fault keeps this instance from working now, or did until a moment ago. */
  isStruck(slot: Pick<Slot, 'number'>): boolean;
  /** When nobody could be told anything for sure. */
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
}

export interface StormOptions {
  readonly ground: Ground;
  readonly plan: readonly PlannedFault[];
  readonly onChange: (fault: DoneFault) => void;
}

/**
 * What a fault leaves behind is not worked off at once: a call of the Bot API that hangs, for example, holds its chat
 * until the deadline of the update.
 */
const recoveryMs = { instance: 3_000, everything: 3_000, telegram: 10_000, supplier: 0 } as const;
/** Of a fault that can neither begin nor end, such as a statement that nobody answers. */
const stuckMs = 60_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function startStorm({ ground, plan, onChange }: StormOptions): Storm {
  const done: Mutable<DoneFault>[] = [];
  const ending = new AbortController();
  const startedAt = performance.now();

  async function carryOut(planned: PlannedFault): Promise<void> {
    await sleep(planned.atMs - (performance.now() - startedAt), ending.signal);
    const slot = ground.slots[planned.instance - 1];
    if (ending.signal.aborted || slot === undefined) return;
    const fault: Mutable<DoneFault> = {
      number: planned.number,
      name: planned.name,
      instance: planned.instance,
      from: Date.now(),
      to: undefined,
      failure: undefined,
    };
    done.push(fault);
    onChange(fault);
    try {
      const occasion = { slot, random: createRandom(planned.seed), number: planned.number };
      const end = await within(stuckMs, faults[planned.name].begin(ground, occasion));
      await sleep(planned.durationMs, ending.signal);
      await within(stuckMs, end());
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
        return to === undefined || Date.now() < to + recoveryMs[touches];
      }),
    silences: () =>
      done
        .filter(({ name }) => ['telegram', 'everything'].includes(faults[name].touches))
        .map(({ name, from, to }) => ({
          from,
          to: (to ?? Date.now()) + recoveryMs[faults[name].touches],
        })),
    over: Promise.all(plan.map(carryOut)).then(() => undefined),
    stop: () => ending.abort(),
  };
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
