// Tells that the inbox is full: the first time at once, then at most one line per second however many updates
// are refused, each line with the number refused since the last one. Outside any trace, because what was refused
// is no update of ours yet, and a flood must not fill the traces.
import type { Telemetry } from '../otel/telemetry.ts';

export interface QueueFull {
  /** `count` updates were refused at this depth; 0 when none was asked for. */
  refused(depth: number, count: number): void;
  /** Tells what is untold. */
  stop(): void;
}

const lineEveryMs = 1_000;

export function createQueueFull(telemetry: Pick<Telemetry, 'emit' | 'outsideTrace'>): QueueFull {
  let untold: { readonly depth: number; readonly count: number } | undefined;
  let pause: NodeJS.Timeout | undefined;

  function tell(): void {
    pause = undefined;
    if (!untold) return;
    const { depth, count } = untold;
    untold = undefined;
    telemetry.outsideTrace(() =>
      telemetry.emit('QUEUE_FULL', { queue_depth: depth, reason_code: 'RATE_LIMIT', refused_count: count }),
    );
    pause = setTimeout(tell, lineEveryMs);
    // A line that is due must not keep the process alive; `stop` tells it.
    pause.unref();
  }

  return {
    refused(depth, count) {
      untold = { depth, count: (untold?.count ?? 0) + count };
      if (!pause) tell();
    },
    stop() {
      clearTimeout(pause);
      tell();
      clearTimeout(pause);
    },
  };
}
