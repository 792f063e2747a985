// Ends the spinner of taps that an instance may never answer. While the one that should be at work is late with its
// heartbeat, every other one looks for taps that do not end, whoever stored or picked them, and answers them. That is
// sooner than another instance takes over, and before Telegram ends the spinner by itself. While nobody is late, the
// database is not asked.
import type { InstanceState } from '../lock/instance-state.ts';
import type { WaitingUpdates } from '../storage/waiting-updates.ts';
import type { Background } from '../telegram/background.ts';
import { readIncoming } from '../telegram/incoming.ts';
import type { TapToast } from './tap-toast.ts';

export interface StuckTaps {
  stop(): void;
}

export interface StuckTapsOptions {
  readonly state: Pick<InstanceState, 'isHolderLate'>;
  readonly waitingUpdates: Pick<WaitingUpdates, 'tapsInWaiting'>;
  readonly toast: TapToast;
  readonly background: Background;
}

const lookEveryMs = 500;
/** An instance that works has answered by then. Missing two heartbeats of 5 s is seen later than that, after 12 s. */
const patienceMs = 8_000;
/** Nobody looks at an older spinner. */
const horizonMs = 60_000;
/** What is above it comes with the next look. */
const tapsPerLook = 1_000;

export function startStuckTaps({ state, waitingUpdates, toast, background }: StuckTapsOptions): StuckTaps {
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    try {
      const found = await waitingUpdates.tapsInWaiting({
        olderThanMs: patienceMs,
        youngerThanMs: horizonMs,
        except: toast.given(),
        limit: tapsPerLook,
      });
      for (const { body, traceparent, receivedAt } of found) {
        const update = readIncoming(body);
        if (update?.callbackId === undefined) continue;
        toast.give(
          { update, traceparent, receivedAt: receivedAt.getTime() },
          'the instance that works is late',
        );
      }
    } finally {
      looking = false;
    }
  }

  const timer = setInterval(() => {
    if (!looking && state.isHolderLate()) background.start('look for stuck taps', look);
  }, lookEveryMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
