// Works one lane: picks its updates oldest first, each in the trace it was received in, until none is left.
// The chat waits for its head: an update whose pick ended without an outcome (crash, lost database) is picked
// again before anything newer, three times at most, then it becomes a dead letter and the user is told.
import { SpanKind } from '@opentelemetry/api';
import { errorMessage, errorType } from '../errors.ts';
import { leaseLost } from '../lock/lease.ts';
import type { AmbientFields } from '../otel/fields.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Effects, PickedUpdate, UpdateStore } from '../storage/update-store.ts';
import type { Inbox } from './inbox.ts';

/** How an update ended, as the bot says it. */
export interface Conclusion {
  readonly result: 'accepted' | 'rejected' | 'noop' | 'failed';
  readonly reason: ReasonCode;
  readonly effects?: Effects | undefined;
  /** Present when the update ended in a fault. */
  readonly error?: unknown;
  readonly detail?: string | undefined;
  readonly afterCommit?: (() => Promise<void>) | undefined;
}

export interface UpdateHandler {
  /** Reads the update; must not fail and do nothing else yet. */
  open(update: PickedUpdate): OpenUpdate;
}

export interface OpenUpdate {
  /** Who and what the update is about, for every event of its dispatch. */
  readonly fields: AmbientFields;
  /** What the update met, for the journal: nothing that a user wrote. */
  readonly before?: () => object;
  /** Must not throw except for what another attempt may cure. */
  handle(): Promise<Conclusion>;
  /** Tells the user, as far as that is possible, that the update was given up. Must not throw. */
  giveUp(): Promise<void>;
}

export interface LaneOptions {
  readonly store: UpdateStore;
  readonly inbox: Pick<Inbox, 'settled'>;
  readonly handler: UpdateHandler;
  readonly telemetry: Telemetry;
  readonly instanceId: string;
  /** Hears of every update that is picked here, after it was told to be stored. */
  readonly onPick: (updateId: number) => void;
  /** False once another instance is to go on: then nothing more is picked. */
  readonly isActive: () => boolean;
  /**
   * Other instances work lanes too. One that finds the head of a lane held here goes away; so the lane is left only
   * when it was found empty after the last commit, not when it looked empty during it.
   */
  readonly isShared: boolean;
}

const maxAttempts = 3;

export interface Lanes {
  /** Rejects with AppError LEASE_LOST where another instance is in charge; the lane then still has to be worked. */
  work(lane: number): Promise<void>;
}

export function createLanes(options: LaneOptions): Lanes {
  const { store, inbox, handler, telemetry, instanceId } = options;
  // A lane worked here already only has to look again: its loop picks what this call was about.
  const working = new Map<number, { again: boolean }>();

  /** Resolves to whether the lane may have more to do. */
  async function dispatch(update: PickedUpdate, opened: OpenUpdate): Promise<boolean> {
    const startedAt = Date.now();
    telemetry.emit('QUEUE_PICK', {
      worker_id: instanceId,
      latency_ms: startedAt - update.receivedAt.getTime(),
    });
    if (update.attempt > maxAttempts) return giveUp(update, opened);
    telemetry.emit('DISPATCH_START', { handler: update.eventType });
    const conclusion = await opened.handle();
    const { result, reason, effects } = conclusion;
    const { committed, more } = await store.finish({ id: update.id, outcome: result, reason, effects });
    if (!committed) {
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'finish update',
        error_type: 'ALREADY_FINISHED',
        error_message: 'Another worker had ended this update; its outcome stands',
      });
      return more;
    }
    tellEnd(update, conclusion, startedAt);
    await conclusion.afterCommit?.();
    return more;
  }

  function tellEnd(
    update: PickedUpdate,
    { result, reason, detail, error }: Conclusion,
    startedAt: number,
  ): void {
    const times = {
      latency_ms: Date.now() - update.receivedAt.getTime(),
      duration_ms: Date.now() - startedAt,
    };
    telemetry.annotate({ result, reason_code: reason });
    if (error === undefined) {
      telemetry.emit('DISPATCH_OK', { result, reason_code: reason, reason_detail: detail, ...times });
      return;
    }
    telemetry.recordError(error);
    telemetry.emit('DISPATCH_FAIL', {
      result,
      reason_code: reason,
      reason_detail: detail,
      error_type: errorType(error),
      error_message: telemetry.scrub(errorMessage(error)),
      ...times,
    });
  }

  async function giveUp(update: PickedUpdate, opened: OpenUpdate): Promise<boolean> {
    await opened.giveUp();
    const { more } = await store.finish({
      id: update.id,
      outcome: 'dead_letter',
      reason: 'INTERNAL_ERROR',
      effects: undefined,
    });
    telemetry.annotate({ result: 'failed', reason_code: 'INTERNAL_ERROR' });
    telemetry.emit('DEAD_LETTER', {
      reason_code: 'INTERNAL_ERROR',
      reason_detail: `${maxAttempts} attempts ended without an outcome`,
    });
    return more;
  }

  async function drain(lane: number): Promise<void> {
    let more = true;
    while (more && options.isActive()) {
      const picked = await store.pick(lane);
      if (!picked) return;
      await inbox.settled(picked.updateId);
      options.onPick(picked.updateId);
      const opened = handler.open(picked);
      const subject = { event_type: picked.eventType, update_id: picked.updateId, ...opened.fields };
      more = await telemetry.inSpan(
        'dispatch update',
        {
          kind: SpanKind.CONSUMER,
          traceparent: picked.traceparent,
          fields: { ...subject, ...(picked.attempt > 1 ? { attempt: picked.attempt } : {}) },
          attributes: { 'messaging.operation.type': 'process' },
          ...(opened.before ? { before: opened.before } : {}),
        },
        () => dispatch(picked, opened),
      );
      more ||= options.isShared;
    }
  }

  return {
    async work(lane) {
      // A job that ends well is gone: one that a former holder still takes must fail, so that the next one gets it.
      if (!options.isActive()) throw leaseLost();
      const running = working.get(lane);
      if (running) {
        running.again = true;
        return;
      }
      const state = { again: true };
      working.set(lane, state);
      try {
        while (state.again) {
          state.again = false;
          await drain(lane);
        }
      } finally {
        working.delete(lane);
      }
    },
  };
}
