// A runner of the queue that has to prove, again and again, that it works: by jobs that end, or, where there are none,
// by a pulse, a job of its own that must come back within seconds. One that cannot, or says itself that it has ended,
// is thrown away and another one begun in its place. What it had locked is free again then.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, errorType } from '../errors.ts';
import { type Job, type Runner, type RunnerOptions, startRunner } from './runner.ts';

export interface SupervisedRunner {
  /** Slots that nothing has taken. */
  freeSlots(): number;
  /** By what jobs were locked that were given up with their runner. */
  readonly deadIds: readonly string[];
  /** Takes no more jobs at once; resolves when those in flight have ended. */
  stop(): Promise<void>;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

export interface SupervisedRunnerOptions extends Omit<RunnerOptions, 'onEnded' | 'id'> {
  /** What the ids of its runners begin with. */
  readonly owner: string;
  /** What it is called where its proofs are missed. */
  readonly part: 'lane' | 'task';
  /** The job that shows that it works, which no other runner takes. */
  readonly pulse: string;
  readonly sendPulse: () => Promise<void>;
  /** It works. */
  readonly prove: () => void;
  /** Without a proof for so long it is thrown away. */
  readonly patienceMs: number;
  /** While all slots are taken by jobs, one of them not older than this, no pulse can come back and none is missed. */
  readonly longestJobMs: number;
  /** Gives back to the queue what a runner that is gone had taken. */
  readonly revive: (deadIds: readonly string[]) => Promise<void>;
}

const lookEveryMs = 500;

/** Resolves when it takes jobs; rejects when the first runner could not start. */
export async function startSupervisedRunner(options: SupervisedRunnerOptions): Promise<SupervisedRunner> {
  const { telemetry, part, patienceMs, concurrency } = options;
  const ending = new AbortController();
  const deadIds: string[] = [];
  const gone = new Set<Promise<void>>();
  let provenAt = performance.now();
  let isPulseUnderWay = false;
  let death: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  function prove(): void {
    provenAt = performance.now();
    options.prove();
  }

  let generation = 0;
  const idOf = (own: number): string => `${options.owner}${part}-${own}`;

  function begin(): Promise<Runner> {
    generation += 1;
    const own = generation;
    // What ends in a runner that was given up says nothing of the one that has come after it.
    const proveOwn = (): void => {
      if (own === generation) prove();
    };
    const proving =
      (job: Job): Job =>
      async payload => {
        await job(payload);
        proveOwn();
      };
    return startRunner({
      ...options,
      id: idOf(own),
      jobs: {
        ...Object.fromEntries(Object.entries(options.jobs).map(([name, job]) => [name, proving(job)])),
        [options.pulse]: async () => proveOwn(),
      },
      onEnded(error) {
        if (own !== generation) return;
        death ??= { error };
        wake?.();
      },
    });
  }

  let runner: Runner | undefined = await begin();
  provenAt = performance.now();

  const takenSlots = (): readonly number[] => runner?.agesMs() ?? [];
  const isBusy = (): boolean => {
    const agesMs = takenSlots();
    return agesMs.length >= concurrency && agesMs.some(age => age < options.longestJobMs);
  };

  async function supervise(): Promise<void> {
    let lookedAt = performance.now();
    while (!ending.signal.aborted) {
      await pause();
      if (ending.signal.aborted) return;
      // A process that was frozen has missed its own pulses.
      const overslept = performance.now() - lookedAt - lookEveryMs;
      if (overslept > lookEveryMs) provenAt += overslept;
      lookedAt = performance.now();
      if (isBusy()) prove();
      const silentMs = performance.now() - provenAt;
      if (!runner || death) await replace();
      else if (silentMs > patienceMs) {
        death = { error: new Error(`No job has come back for ${Math.round(silentMs)} ms`) };
        await replace();
      } else if (silentMs > patienceMs / 4) void pulse();
    }
  }

  async function pulse(): Promise<void> {
    if (isPulseUnderWay) return;
    isPulseUnderWay = true;
    try {
      await options.sendPulse();
    } catch (error) {
      if (!ending.signal.aborted) telemetry.warn(`show that the ${part} runner works`, error);
    } finally {
      isPulseUnderWay = false;
    }
  }

  async function replace(): Promise<void> {
    if (runner) {
      telemetry.emit('SYSTEM_WARNING', {
        operation: `restart the ${part} runner`,
        error_type: errorType(death?.error),
        error_message: telemetry.scrub(errorMessage(death?.error)),
      });
      giveUp(runner);
    }
    runner = undefined;
    death = undefined;
    try {
      const next = await begin();
      provenAt = performance.now();
      runner = next;
      if (ending.signal.aborted) return;
      await options.revive(deadIds);
    } catch (error) {
      // It may have taken jobs before it failed.
      if (!runner) deadIds.push(idOf(generation));
      telemetry.warn(`restart the ${part} runner`, error);
    }
  }

  function giveUp(dead: Runner): void {
    dead.abandon();
    deadIds.push(idOf(generation));
    const settled = dead.settled();
    gone.add(settled);
    void settled.then(() => gone.delete(settled));
  }

  async function pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    if (death) resolve();
    await Promise.race([
      promise,
      sleep(lookEveryMs, undefined, { signal: ending.signal }).catch(() => undefined),
    ]);
  }

  const supervising = supervise();
  return {
    deadIds,
    freeSlots: () => (runner ? Math.max(0, concurrency - takenSlots().length) : 0),
    async stop() {
      ending.abort();
      await Promise.all([runner?.stop(), supervising]);
      // One that was being begun meanwhile.
      await runner?.stop();
    },
    async settled() {
      await Promise.all([runner?.settled(), ...gone]);
    },
  };
}
