// Ends the spinner of taps that wait: one that no instance has picked 3 s after its receipt is answered by the
// instance that stored it, and is worked later all the same. Taps that are picked here are forgotten at once, so
// normally nothing is asked of the database, and there is one timer for all of them while there are any.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Api } from 'grammy';
import { errorType } from '../errors.ts';
import type { Pseudonyms } from '../otel/privacy.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { FindUnpicked } from '../storage/unpicked-updates.ts';
import type { Texts } from '../ui/texts.ts';
import type { Background } from './background.ts';
import { type IncomingUpdate, pseudonymsOf } from './incoming.ts';
import { refusedBy } from './refusal.ts';

export interface WaitingTaps {
  /** To be called when a tap is stored, in the span of its update. `receivedAt` is in epoch milliseconds. */
  watch(update: IncomingUpdate, receivedAt: number): void;
  /** An update is being worked here. */
  picked(updateId: number): void;
  stop(): void;
}

export interface WaitingTapsOptions {
  readonly api: Pick<Api, 'answerCallbackQuery'>;
  readonly findUnpicked: FindUnpicked;
  readonly texts: Texts;
  readonly telemetry: Pick<Telemetry, 'emit' | 'inSpan' | 'traceparent' | 'scrub'>;
  readonly pseudonyms: Pseudonyms;
  readonly background: Background;
}

interface Tap {
  readonly update: IncomingUpdate;
  readonly receivedAt: number;
  readonly traceparent: string;
}

const patienceMs = 3_000;
/** On an instance that works nothing itself every tap gets here: looked at together they cost a few queries a second. */
const lookEveryMs = 250;
/** Beyond this a tap is not watched; its answer then comes with its outcome. */
const capacity = 10_000;

export function createWaitingTaps(options: WaitingTapsOptions): WaitingTaps {
  const { api, findUnpicked, texts, telemetry, pseudonyms, background } = options;
  /** By update id, oldest first. */
  const taps = new Map<number, Tap>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function arm(): void {
    const [oldest] = taps.values();
    if (timer || stopped || !oldest) return;
    const dueInMs = oldest.receivedAt + patienceMs - Date.now();
    // The timer serves many traces and belongs to none of them.
    timer = context.with(ROOT_CONTEXT, () => setTimeout(look, Math.max(lookEveryMs, dueInMs)));
    timer.unref();
  }

  function look(): void {
    timer = undefined;
    const due = takeDue();
    if (due.length > 0) background.start('look for waiting taps', () => answerUnpicked(due));
    arm();
  }

  function takeDue(): readonly Tap[] {
    const due: Tap[] = [];
    for (const [updateId, tap] of taps) {
      if (tap.receivedAt + patienceMs > Date.now()) break;
      taps.delete(updateId);
      due.push(tap);
    }
    return due;
  }

  async function answerUnpicked(due: readonly Tap[]): Promise<void> {
    const unpicked = await unpickedOf(due);
    for (const tap of due) {
      if (unpicked?.has(tap.update.updateId) === false) continue;
      background.start('answer a waiting tap', () =>
        telemetry.inSpan('answer waiting tap', spanOf(tap), () => answer(tap)),
      );
    }
  }

  /** undefined when the database cannot tell: then nobody works them either, and the spinner must end. */
  async function unpickedOf(due: readonly Tap[]): Promise<ReadonlySet<number> | undefined> {
    try {
      return await findUnpicked(due.map(({ update }) => update.updateId));
    } catch (error) {
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'look for waiting taps',
        error_type: errorType(error),
        error_message: telemetry.scrub(error instanceof Error ? error.message : String(error)),
        reason_code: 'DB_ERROR',
      });
      return undefined;
    }
  }

  function spanOf({ update, traceparent }: Tap) {
    const subject = {
      event_type: update.eventType,
      update_id: update.updateId,
      ...pseudonymsOf(update, pseudonyms),
    };
    return { traceparent, fields: subject, attributes: subject };
  }

  async function answer({ update, receivedAt }: Tap): Promise<void> {
    const text = texts.for(update.locale)('tap-waiting');
    const refusal = await refusedBy(api.answerCallbackQuery(update.callbackId ?? '', { text }));
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: refusal?.detail ?? 'nobody has picked the tap yet; it is worked later',
      latency_ms: Date.now() - receivedAt,
    });
  }

  return {
    watch(update, receivedAt) {
      if (taps.size >= capacity) return;
      taps.set(update.updateId, { update, receivedAt, traceparent: telemetry.traceparent() });
      arm();
    },
    picked: updateId => void taps.delete(updateId),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
