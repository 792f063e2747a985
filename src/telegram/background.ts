// Work that an update causes and nobody waits for. Only so much of it runs at once, and `stop` waits for what is under
// way. There is an event, and never an error, for work that fails, for work that finds no place (under its own cid),
// and for how much a stop leaves unfinished.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';
import type { WarningOperation } from '../otel/warning-operations.ts';

export interface Background {
  /** Starts `work`; false when too much is under way. `operation` names it in the events about it. */
  start(operation: WarningOperation, work: () => Promise<void>): boolean;
  /** Resolves when nothing is under way, or when that takes too long. */
  stop(): Promise<void>;
}

export interface BackgroundOptions {
  readonly capacity: number;
  /** How long `stop` waits at most. */
  readonly stopLimitMs: number;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn'>;
}

export function createBackground({ capacity, stopLimitMs, telemetry }: BackgroundOptions): Background {
  const running = new Set<Promise<void>>();

  return {
    start(operation, work) {
      if (running.size >= capacity) {
        telemetry.emit('SYSTEM_WARNING', {
          operation,
          error_type: 'TOO_MANY',
          error_message: `${capacity} of these are under way; this one was left out`,
        });
        return false;
      }
      const ended = work()
        .catch((error: unknown) => telemetry.warn(operation, error))
        .finally(() => running.delete(ended));
      running.add(ended);
      return true;
    },
    async stop() {
      const waiting = new AbortController();
      await Promise.race([
        Promise.all(running),
        sleep(stopLimitMs, undefined, { signal: waiting.signal }).catch(() => undefined),
      ]);
      waiting.abort();
      if (running.size > 0)
        telemetry.emit('SYSTEM_WARNING', {
          operation: 'stop work in the background',
          error_type: 'UNFINISHED',
          error_message: `${running.size} of these had not ended within ${stopLimitMs / 1_000} s; nobody waits for them`,
        });
    },
  };
}
