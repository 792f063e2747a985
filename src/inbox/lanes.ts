// Works one lane: picks its updates oldest first, each in the trace it was received in, until none is left.
// The chat waits for its head: an update whose pick ended without an outcome (crash, lost database) is picked
// again before anything newer, three times at most, then it becomes a dead letter and the user is told.
import { SpanKind } from '@opentelemetry/api';
import { errorType } from '../errors.ts';
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
  /** Who and what the update is about, for every event of its dispatch. */
  fields(update: PickedUpdate): AmbientFields;
  /** Must not throw except for what another attempt may cure. */
  handle(update: PickedUpdate): Promise<Conclusion>;
  /** Tells the user, as far as that is possible, that the update was given up. Must not throw. */
  giveUp(update: PickedUpdate): Promise<void>;
}

export interface LaneOptions {
  readonly store: UpdateStore;
  readonly inbox: Pick<Inbox, 'settled'>;
  readonly handler: UpdateHandler;
  readonly telemetry: Telemetry;
  readonly instanceId: string;
}

const maxAttempts = 3;

export interface Lanes {
  work(lane: number): Promise<void>;
}

export function createLanes(options: LaneOptions): Lanes {
  const { store, inbox, handler, telemetry, instanceId } = options;
  // A lane worked here already only has to look again: its loop picks what this call was about.
  const working = new Map<number, { again: boolean }>();

  async function dispatch(update: PickedUpdate): Promise<void> {
    const startedAt = Date.now();
    telemetry.emit('QUEUE_PICK', {
      worker_id: instanceId,
      latency_ms: startedAt - update.receivedAt.getTime(),
    });
    if (update.attempt > maxAttempts) {
      await giveUp(update);
      return;
    }
    telemetry.emit('DISPATCH_START', { handler: update.eventType });
    const conclusion = await handler.handle(update);
    const committed = await store.finish(update.id, conclusion.result, conclusion.reason, conclusion.effects);
    if (!committed) {
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'finish update',
        error_type: 'ALREADY_FINISHED',
        error_message: 'Another worker had ended this update; its outcome stands',
      });
      return;
    }
    await conclusion.afterCommit?.();
    const times = {
      latency_ms: Date.now() - update.receivedAt.getTime(),
      duration_ms: Date.now() - startedAt,
    };
    telemetry.annotate({ result: conclusion.result, reason_code: conclusion.reason });
    if (conclusion.error === undefined) {
      telemetry.emit('DISPATCH_OK', { result: conclusion.result, reason_code: conclusion.reason, ...times });
      return;
    }
    telemetry.recordError(conclusion.error);
    telemetry.emit('DISPATCH_FAIL', {
      result: conclusion.result,
      reason_code: conclusion.reason,
      reason_detail: conclusion.detail,
      error_type: errorType(conclusion.error),
      error_message: telemetry.scrub(
        conclusion.error instanceof Error ? conclusion.error.message : String(conclusion.error),
      ),
      ...times,
    });
  }

  async function giveUp(update: PickedUpdate): Promise<void> {
    await handler.giveUp(update);
    await store.finish(update.id, 'dead_letter', 'INTERNAL_ERROR', undefined);
    telemetry.annotate({ result: 'failed', reason_code: 'INTERNAL_ERROR' });
    telemetry.emit('DEAD_LETTER', {
      reason_code: 'INTERNAL_ERROR',
      reason_detail: `${maxAttempts} attempts ended without an outcome`,
    });
  }

  async function drain(lane: number): Promise<void> {
    for (
      let update = await store.pick(lane, instanceId);
      update;
      update = await store.pick(lane, instanceId)
    ) {
      const picked = update;
      await inbox.settled(picked.updateId);
      await telemetry.inSpan(
        'dispatch update',
        {
          kind: SpanKind.CONSUMER,
          traceparent: picked.traceparent,
          fields: {
            event_type: picked.eventType,
            update_id: picked.updateId,
            ...handler.fields(picked),
            ...(picked.attempt > 1 ? { attempt: picked.attempt } : {}),
          },
          attributes: {
            event_type: picked.eventType,
            update_id: picked.updateId,
            'messaging.operation.type': 'process',
          },
        },
        () => dispatch(picked),
      );
    }
  }

  return {
    async work(lane) {
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
