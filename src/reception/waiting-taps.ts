// Ends the spinner of taps that wait: one that no instance has picked 3 s after its receipt is answered by the
// instance that stored it, and is worked later all the same. Taps that are picked here are forgotten at once, so
// normally nothing is asked of the database, and there is one timer for all of them while there are any.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Telemetry } from '../otel/telemetry.ts';
import type { WaitingUpdates } from '../storage/waiting-updates.ts';
import type { Background } from '../telegram/background.ts';
import type { IncomingUpdate } from '../telegram/incoming.ts';
import type { TapToast, WaitingTap } from './tap-toast.ts';

export interface WaitingTaps {
  /** To be called when a tap is stored, in the span of its update. `receivedAt` is in epoch milliseconds. */
  watch(update: IncomingUpdate, receivedAt: number): void;
  /** An update is being worked here. */
  picked(updateId: number): void;
  stop(): void;
}

export interface WaitingTapsOptions {
  readonly waitingUpdates: Pick<WaitingUpdates, 'among'>;
  readonly toast: Pick<TapToast, 'give'>;
  readonly telemetry: Pick<Telemetry, 'warn' | 'traceparent'>;
  readonly background: Background;
}

/** From its receipt: then a tap that nobody has picked is answered. */
export const waitingTapPatienceMs = 3_000;
/** On an instance that works nothing itself every tap gets here: looked at together they cost a few queries a second. */
const lookEveryMs = 250;
/** Beyond this a tap is not watched; its answer then comes with its outcome. */
const capacity = 10_000;

export function createWaitingTaps(options: WaitingTapsOptions): WaitingTaps {
  const { waitingUpdates, toast, telemetry, background } = options;
  /** By update id. Not oldest first: one that a repetition has brought may have waited for longer than those before it. */
  const taps = new Map<number, WaitingTap>();
  let timer: NodeJS.Timeout | undefined;
  let looksAt = Number.POSITIVE_INFINITY;
  let stopped = false;

  function arm(receivedAt: number): void {
    const at = Math.max(Date.now() + lookEveryMs, receivedAt + waitingTapPatienceMs);
    if (stopped || at >= looksAt) return;
    looksAt = at;
    clearTimeout(timer);
    // The timer serves many traces and belongs to none of them.
    timer = context.with(ROOT_CONTEXT, () => setTimeout(look, at - Date.now()));
    timer.unref();
  }

  function look(): void {
    looksAt = Number.POSITIVE_INFINITY;
    const due = takeDue();
    if (due.length > 0) background.start('look for waiting taps', () => answerUnpicked(due));
    if (taps.size > 0) arm(Math.min(...[...taps.values()].map(({ receivedAt }) => receivedAt)));
  }

  function takeDue(): readonly WaitingTap[] {
    const due: WaitingTap[] = [];
    for (const [updateId, tap] of taps) {
      if (tap.receivedAt + waitingTapPatienceMs > Date.now()) continue;
      taps.delete(updateId);
      due.push(tap);
    }
    return due;
  }

  async function answerUnpicked(due: readonly WaitingTap[]): Promise<void> {
    const unpicked = await unpickedOf(due);
    for (const tap of due)
      if (unpicked?.has(tap.update.updateId) !== false) toast.give(tap, 'nobody has picked it yet');
  }

  /** undefined when the database does not answer: then nobody works them either, and the spinner must end. */
  async function unpickedOf(due: readonly WaitingTap[]): Promise<ReadonlySet<number> | undefined> {
    try {
      return await waitingUpdates.among(due.map(({ update }) => update.updateId));
    } catch (error) {
      telemetry.warn('look for waiting taps', error, 'DB_ERROR');
      return undefined;
    }
  }

  return {
    watch(update, receivedAt) {
      if (taps.size >= capacity) return;
      taps.set(update.updateId, { update, receivedAt, traceparent: telemetry.traceparent() });
      arm(receivedAt);
    },
    picked: updateId => void taps.delete(updateId),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
