// Looks at one task follow each other, so that a report of progress cannot overtake the end. Each look is made by the job
// that asks for it, under the lease of that job, and fails with it. While a look is under way, one further job waits for
// it. Any other job only plans a look for later, because the one that waits will find what it has come for, unless it
// fails. A look that does not end within a limit holds up no other one.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';
import { jitter, type PipelineTimings } from './timings.ts';

export interface Looks {
  /** Looks at the task, after the look that is under way. Rejects as `look` does. */
  advance(taskId: string): Promise<void>;
  /** Tasks that are looked at here now; not those whose look hangs. */
  underWay(): readonly string[];
}

export interface LooksOptions {
  look(taskId: string): Promise<void>;
  /** Has the task looked at after so many milliseconds. */
  schedule(taskId: string, delayMs: number): Promise<void>;
  readonly telemetry: Pick<Telemetry, 'emit'>;
  readonly timings: Pick<PipelineTimings, 'lookLimitMs' | 'lookRetryMs'>;
}

interface Look {
  readonly running: Promise<void>;
  readonly beganAt: number;
  /** Another job waits for it, or has gone on without it. */
  isFollowed: boolean;
}

export function createLooks({ look, schedule, telemetry, timings }: LooksOptions): Looks {
  const looks = new Map<string, Look>();

  const remainingMs = ({ beganAt }: Look): number => timings.lookLimitMs - (performance.now() - beganAt);

  /** Only waits: how the look ended concerns the job that asked for it. */
  async function waitFor(before: Look, taskId: string): Promise<void> {
    const timer = new AbortController();
    const hasEnded = await Promise.race([
      before.running.then(
        () => true,
        () => true,
      ),
      sleep(Math.max(0, remainingMs(before)), false, { signal: timer.signal }),
    ]);
    timer.abort();
    if (hasEnded) return;
    telemetry.emit('SYSTEM_WARNING', {
      operation: 'look at a task',
      error_type: 'LOOK_HANGS',
      error_message: `A look has not ended within ${Math.round(timings.lookLimitMs / 1_000)} s; the next one begins`,
      task_id: taskId,
    });
  }

  return {
    async advance(taskId) {
      const before = looks.get(taskId);
      if (before?.isFollowed) return schedule(taskId, jitter(timings.lookRetryMs));
      if (before) {
        before.isFollowed = true;
        await waitFor(before, taskId);
      }
      const own: Look = { running: look(taskId), beganAt: performance.now(), isFollowed: false };
      looks.set(taskId, own);
      try {
        await own.running;
      } finally {
        if (!own.isFollowed) looks.delete(taskId);
      }
    },
    underWay: () => [...looks].filter(([, each]) => remainingMs(each) > 0).map(([taskId]) => taskId),
  };
}
