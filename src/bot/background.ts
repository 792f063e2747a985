// Work that an update causes and nobody waits for. It is bounded in number, its failures are told and never
// thrown, and `stop` waits for what is under way. What a full house turns away is told too, under its own cid.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';

export interface Background {
  /** Starts `work`, unless too much is under way. `operation` names it in the lines about its trouble. */
  start(operation: string, work: () => Promise<void>): void;
  /** Resolves when nothing is under way, or when that takes too long. */
  stop(): Promise<void>;
}

export interface BackgroundOptions {
  readonly capacity: number;
  /** How long `stop` waits at most. */
  readonly stopLimitMs: number;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub'>;
}

export function createBackground({ capacity, stopLimitMs, telemetry }: BackgroundOptions): Background {
  const running = new Set<Promise<void>>();

  function warn(operation: string, type: string, message: string): void {
    telemetry.emit('SYSTEM_WARNING', {
      operation,
      error_type: type,
      error_message: telemetry.scrub(message),
    });
  }

  return {
    start(operation, work) {
      if (running.size >= capacity) {
        warn(operation, 'TOO_MANY', `${capacity} of these are under way; this one was left out`);
        return;
      }
      const ended = work()
        .catch((error: unknown) =>
          warn(operation, errorType(error), error instanceof Error ? error.message : String(error)),
        )
        .finally(() => running.delete(ended));
      running.add(ended);
    },
    async stop() {
      const waiting = new AbortController();
      await Promise.race([
        Promise.all(running),
        sleep(stopLimitMs, undefined, { signal: waiting.signal }).catch(() => undefined),
      ]);
      waiting.abort();
    },
  };
}
