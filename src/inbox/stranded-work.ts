// Looks for work that nobody does although somebody could: an update that waits for its pick while slots are free, one
// whose pick came to nothing, a task without a job. Its lane or task gets a job again, whatever became of the one it
// had: the queue's own, after a fault, may come back after hours or not at all. In a cluster it also takes over what
// members have left behind that are gone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import { reviveStranded, takeOverFromDead, unlockJobsOf, unlockJobsOfTheGone } from '../storage/job-queue.ts';
import { pickLimitMs } from '../storage/update-pick.ts';
import type { Lanes } from './lanes.ts';
import type { Workers } from './workers.ts';

export interface StrandedWorkOptions {
  readonly database: Database;
  readonly instanceId: string;
  /** Other members work too; one that has not renewed for so long is gone. */
  readonly clusterStaleMs: number | undefined;
  readonly lanes: Pick<Lanes, 'underWay'>;
  /** Tasks that are looked at here now. */
  readonly tasksUnderWay: () => readonly string[];
  readonly workers: Pick<Workers, 'freeSlots' | 'deadRunners'>;
  readonly telemetry: Telemetry;
}

export interface StrandedWork {
  stop(): Promise<void>;
}

const lookEveryMs = 2_000;
/** A job is taken within moments, and a worker takes an update within moments of its job. */
const patienceMs = 5_000;

export function watchForStrandedWork(options: StrandedWorkOptions): StrandedWork {
  const { database, instanceId, clusterStaleMs, lanes, tasksUnderWay, workers, telemetry } = options;
  const ending = new AbortController();

  async function look(): Promise<void> {
    if (clusterStaleMs !== undefined) await takeOverFromDead(database, clusterStaleMs);
    await unlockJobsOfTheGone(database);
    await unlockJobsOf(database, workers.deadRunners());
    // While all slots are taken, waiting for one is nothing strange.
    if (workers.freeSlots() === 0) return;
    const revived = await reviveStranded(database, {
      instanceId,
      workedHere: lanes.underWay(),
      tasksWorkedHere: tasksUnderWay(),
      patienceMs,
      pickLimitMs,
    });
    if (revived > 0)
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'look for stranded work',
        error_type: 'STRANDED',
        error_message: `${revived} lanes and tasks had work that nobody did; they have been given jobs`,
      });
  }

  async function watch(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(lookEveryMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      try {
        await look();
      } catch (error) {
        telemetry.warn('look for stranded work', error);
      }
    }
  }

  const watching = watch();
  return {
    stop() {
      ending.abort();
      return watching;
    },
  };
}
