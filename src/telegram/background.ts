// Work that an update causes and nobody waits for. It is bounded in number, its failures are told and never
// thrown, and `stop` waits for what is under way. What a full house turns away is told too, under its own cid, and how
// much a stop leaves unfinished.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';

export interface Background {
  /** Starts `work`, unless too much is under way: false then. `operation` names it in the lines about its trouble. */
  start(operation: string, work: () => Promise<void>): boolean;
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
