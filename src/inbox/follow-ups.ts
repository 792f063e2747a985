// Does what updates have left to be done, in the trace of each, one lane at a time: lanes.ts calls it between two updates
// of that lane, so that nothing overtakes what it follows. What fails is put off, longer each time, and given up in the
// end; what a dead process had begun is begun again.
import { SpanKind } from '@opentelemetry/api';
import type { AmbientFields } from '../otel/fields.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { FollowUpOperation } from '../otel/warning-operations.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { FollowUpStore, PickedFollowUp } from '../storage/follow-up-store.ts';
import { type FollowUp, type FollowUpKind, followUpSchema } from './follow-up.ts';
import type { HeldLane } from './held-lanes.ts';

/**
 * Nothing is left to do, or it goes on from `again`, after `delayMs` or the pause that follows a failure: for as long as
 * its work says so. Or it was not tried, because it has to wait for `waitMs`.
 */
export type FollowUpEnd =
  | 'done'
  | { readonly again: FollowUp; readonly delayMs?: number | undefined }
  | { readonly waitMs: number };

/** What is known beside the follow-up itself. */
export interface FollowUpCircumstances {
  /** A private chat, which has the id of its user. */
  readonly chatId: number;
  /** In the database: for what must be recorded together with the work. */
  readonly id: number;
  /** From 1. */
  readonly attempt: number;
  /** It will not be tried again, whatever happens now. */
  readonly isLast: boolean;
}

/**
 * One for each kind. What throws is tried again; where that is the last time, it must have notified the user before.
 */
export type FollowUpWork = {
  readonly [K in FollowUpKind]: (
    followUp: Extract<FollowUp, { kind: K }>,
    circumstances: FollowUpCircumstances,
  ) => Promise<FollowUpEnd>;
};

export interface FollowUps {
  /**
   * Does everything in the lane that is due, for as long as that is held. Rejects only with what keeps the database from
   * being asked; the job then has to look again.
   */
  work(lane: number, held: Pick<HeldLane, 'isHeld' | 'turn'>): Promise<void>;
}

export interface FollowUpsOptions {
  readonly store: FollowUpStore;
  readonly work: FollowUpWork;
  readonly telemetry: Telemetry;
  /** Who it is about, for every event. */
  readonly fieldsOf: (chatId: number) => AmbientFields;
}

/** With the pauses below that is a quarter of an hour and more. */
const maxAttempts = 12;
const firstPauseMs = 1_000;
const longestPauseMs = 5 * 60_000;

export function createFollowUps(options: FollowUpsOptions): FollowUps {
  const { store, work, telemetry, fieldsOf } = options;

  function worked(followUp: FollowUp, picked: PickedFollowUp): Promise<FollowUpEnd> {
    const circumstances = {
      chatId: picked.lane,
      id: picked.id,
      attempt: picked.attempt,
      isLast: picked.attempt >= maxAttempts,
    };
    // SAFETY: the table pairs each kind with the work of its own data.
    return (
      work[followUp.kind] as (
        followUp: FollowUp,
        circumstances: FollowUpCircumstances,
      ) => Promise<FollowUpEnd>
    )(followUp, circumstances);
  }

  async function run(picked: PickedFollowUp): Promise<void> {
    const { kind, attempt } = picked;
    try {
      const end = await worked(followUpSchema.parse({ ...Object(picked.data), kind }), picked);
      if (end === 'done') await store.finish(picked);
      else if ('waitMs' in end) await store.wait(picked, end.waitMs);
      else await store.postpone(picked, end.delayMs ?? pauseMs(attempt), dataOf(end.again));
    } catch (error) {
      if (isConnectionLost(error)) {
        // Perhaps it cannot even be put off now. It is there when the database is, however often it was tried: that the
        // database was away says nothing against the work.
        telemetry.warn(operationOf(kind), error, 'DB_ERROR');
        await store.postpone(picked, pauseMs(attempt));
        return;
      }
      telemetry.recordError(error);
      telemetry.warn(operationOf(kind), error, 'INTERNAL_ERROR');
      if (attempt < maxAttempts) await store.postpone(picked, pauseMs(attempt));
      else await store.finish(picked);
    }
  }

  return {
    async work(lane, held) {
      while (held.isHeld()) {
        const picked = await store.pick(lane);
        if (!picked) return;
        const { kind, attempt, traceparent } = picked;
        await telemetry.inSpan(
          `follow up ${kind}`,
          {
            kind: SpanKind.CONSUMER,
            traceparent,
            fields: { event_type: 'job', ...fieldsOf(lane), ...(attempt > 1 ? { attempt } : {}) },
          },
          () => held.turn(() => run(picked)),
        );
      }
    },
  };
}

/** What is stored beside the kind. */
export function dataOf({ kind: _, ...data }: FollowUp): object {
  return data;
}

function pauseMs(attempt: number): number {
  return Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
}

/** The kind may be one of another release. */
function operationOf(kind: string): FollowUpOperation {
  const known = followUpSchema.options.find(({ shape }) => shape.kind.value === kind);
  return known ? `follow up ${known.shape.kind.value}` : 'follow up of an unknown kind';
}
