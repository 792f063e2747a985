// Works one lane: picks its updates oldest first, each in the trace it was received in, until none is left.
// The chat waits for its head: an update whose pick ended without an outcome (crash, lost database) is picked
// again before anything newer, three times at most, then it becomes a dead letter and the user is notified.
// What an update leaves to be done is done before the next one is picked.
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { errorMessage, errorType } from '../errors.ts';
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { FieldsOf } from '../otel/event-seam.ts';
import type { AmbientFields } from '../otel/fields.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { Effects, Finished, NewFollowUp, UpdateEnding } from '../storage/update-finish.ts';
import { type PickedUpdate, pickLimitMs } from '../storage/update-pick.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import type { FollowUp } from './follow-up.ts';
import { dataOf, type FollowUps } from './follow-ups.ts';
import { createHeldLanes, type HeldLane, type Looking } from './held-lanes.ts';
import type { Inbox } from './inbox.ts';

/** How an update ended, as the bot says it. */
export interface Conclusion {
  readonly result: 'accepted' | 'rejected' | 'noop' | 'failed';
  readonly reason: ReasonCode;
  readonly effects?: Effects | undefined;
  /** Present when the update ended in a fault. */
  readonly error?: unknown;
  readonly detail?: string | undefined;
  /** The particular case, as fields of the event of the end. */
  readonly because?: Pick<FieldsOf<'DISPATCH_OK'>, 'detail_code' | 'model_id' | 'amount'> | undefined;
  /** What is to be done once the outcome is committed, whatever happens to this process. */
  readonly followUps?: readonly FollowUp[] | undefined;
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
  /**
   * Notifies the user, as far as possible, that the update was given up; a notice that could not be sent is left to be done.
   * Must not throw.
   */
  giveUp(): Promise<readonly FollowUp[]>;
}

export interface LaneOptions {
  readonly store: UpdateStore;
  readonly inbox: Pick<Inbox, 'settled'>;
  readonly handler: UpdateHandler;
  readonly followUps: FollowUps;
  readonly telemetry: Telemetry;
  readonly instanceId: string;
  /** That of the job that asks. */
  readonly lease: CurrentLease;
  /** Called for every update that is picked here, after its UPDATE_RECEIVED. */
  readonly onPick: (updateId: number) => void;
  /** False once another instance is to go on: then nothing more is picked. */
  readonly isActive: () => boolean;
  /**
   * Other instances work lanes too. One that finds a lane held here goes away; so the lane is left only when nothing was
   * found in it after the last commit, neither an update nor what is to be followed up, not when it looked empty during
   * it.
   */
  readonly isShared: boolean;
}

const maxAttempts = 3;
/** For how long a commit is asked for again that the database did not answer. */
const commitPatienceMs = 10_000;
const commitPauseMs = 200;

export interface Lanes {
  /** Rejects with AppError LEASE_LOST where another instance is in charge; the lane then still has to be worked. */
  work(lane: number): Promise<void>;
  /** The same for what earlier updates have left to be done, and then for the updates. */
  followUp(lane: number): Promise<void>;
  /** Those that are worked here under the lease this instance has now. */
  underWay(): readonly number[];
}

export function createLanes(options: LaneOptions): Lanes {
  const { store, inbox, handler, followUps, telemetry, instanceId } = options;
  const heldLanes = createHeldLanes({ telemetry, turnLimitMs: pickLimitMs });

  /**
   * A commit whose answer is lost may have been made: asking for it again says so, and makes it where it was not. What
   * the user saw is then not done a second time. Also when another instance is in charge by now: the lease lets nothing
   * new pass, and only this one can emit the end of what it has committed.
   */
  async function commit(ending: Omit<UpdateEnding, 'traceparent'>): Promise<Finished> {
    const endsAt = performance.now() + commitPatienceMs;
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await store.finish({ ...ending, traceparent: telemetry.traceparent() });
      } catch (error) {
        if (!isConnectionLost(error) || performance.now() > endsAt) throw error;
        // Five times a second for each update in work would bury everything else that is logged about a database that is away.
        if (isFirst) telemetry.warn('finish update', error, 'DB_ERROR');
        await sleep(commitPauseMs);
      }
    }
  }

  /** Why an attempt ends without an outcome is logged here, under the cid of the update: the next one begins it anew. */
  async function handle(opened: OpenUpdate): Promise<Conclusion> {
    try {
      return await opened.handle();
    } catch (error) {
      telemetry.recordError(error);
      telemetry.warn('dispatch update', error);
      throw error;
    }
  }

  /** Resolves to whether the lane may have more to do. */
  async function dispatch(update: PickedUpdate, opened: OpenUpdate, looking: Looking): Promise<boolean> {
    const startedAt = Date.now();
    telemetry.emit('QUEUE_PICK', {
      worker_id: instanceId,
      latency_ms: startedAt - update.receivedAt.getTime(),
    });
    const { id, attempt } = update;
    if (attempt > maxAttempts) return giveUp(update, opened);
    telemetry.emit('DISPATCH_START', { handler: update.eventType });
    const conclusion = await handle(opened);
    const { result, reason, effects } = conclusion;
    let left = conclusion.followUps?.map(leftBehind) ?? [];
    let ended: Conclusion = conclusion;
    let finished: Finished;
    try {
      finished = await commit({
        id,
        attempt,
        outcome: result,
        reason,
        effects,
        followUps: left,
      });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      // What it would leave behind cannot be stored, and no repetition changes that: it ends without. What was promised is
      // done all the same; what was to be shown gives way to the words on the fault.
      const promised = (conclusion.followUps ?? []).filter(({ kind }) => kind !== 'show');
      left = [...promised, ...(await opened.giveUp())].map(leftBehind);
      ended = { result: 'failed', reason: 'INTERNAL_ERROR', error };
      finished = await commit({
        id,
        attempt,
        outcome: 'failed',
        reason: 'INTERNAL_ERROR',
        effects: undefined,
        followUps: left,
      });
    }
    const { committed, more } = finished;
    if (!committed) {
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'finish update',
        error_type: 'NOT_OURS',
        error_message:
          'Somebody else has ended this update, or works it now; what was done here is not stored',
      });
      return more;
    }
    emitEnd(update, ended, startedAt);
    if (left.some(({ delayMs }) => delayMs === 0)) looking.followUps = true;
    return more;
  }

  function emitEnd(
    update: PickedUpdate,
    { result, reason, detail, because, error }: Conclusion,
    startedAt: number,
  ): void {
    const times = {
      latency_ms: Date.now() - update.receivedAt.getTime(),
      duration_ms: Date.now() - startedAt,
    };
    telemetry.annotate({ result, reason_code: reason });
    if (error === undefined) {
      telemetry.emit('DISPATCH_OK', {
        result,
        reason_code: reason,
        reason_detail: detail,
        ...because,
        ...times,
      });
      return;
    }
    telemetry.recordError(error);
    telemetry.emit('DISPATCH_FAIL', {
      result,
      reason_code: reason,
      reason_detail: detail,
      detail_code: because?.detail_code,
      error_type: errorType(error),
      error_message: telemetry.scrub(errorMessage(error)),
      ...times,
    });
  }

  async function giveUp(update: PickedUpdate, opened: OpenUpdate): Promise<boolean> {
    const left = await opened.giveUp();
    const { more } = await commit({
      id: update.id,
      attempt: update.attempt,
      outcome: 'dead_letter',
      reason: 'INTERNAL_ERROR',
      effects: undefined,
      followUps: left.map(leftBehind),
    });
    telemetry.annotate({ result: 'failed', reason_code: 'INTERNAL_ERROR' });
    telemetry.emit('DEAD_LETTER', {
      reason_code: 'INTERNAL_ERROR',
      reason_detail: `${maxAttempts} attempts ended without an outcome`,
    });
    return more;
  }

  async function workFollowUps(lane: number, held: HeldLane): Promise<void> {
    held.looking.followUps = false;
    await followUps.work(lane, held);
  }

  async function drain(lane: number, held: HeldLane): Promise<void> {
    let more = true;
    while (more && options.isActive() && held.isHeld()) {
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
        () => held.turn(() => dispatch(picked, opened, held.looking)),
      );
      // Another instance that was to follow up something meanwhile found the lane held here, and has gone away too.
      const mayHaveMissed = options.isShared && !more;
      if (held.looking.followUps || mayHaveMissed) await workFollowUps(lane, held);
      more ||= options.isShared;
    }
  }

  async function look(lane: number, wanted: Looking): Promise<void> {
    // A job that ends well is gone: one that a former holder still takes must fail, so that the next one gets it.
    if (!options.isActive()) throw leaseLost();
    const held = heldLanes.hold(lane, wanted, options.lease().epoch);
    if (!held) return;
    const { looking } = held;
    try {
      while (held.isHeld() && (looking.updates || looking.followUps)) {
        if (looking.followUps) await workFollowUps(lane, held);
        looking.updates = false;
        await drain(lane, held);
      }
    } finally {
      held.release();
    }
  }

  return {
    work: lane => look(lane, { updates: true, followUps: false }),
    followUp: lane => look(lane, { updates: true, followUps: true }),
    underWay: () => heldLanes.underWay(options.lease().epoch),
  };
}

function leftBehind(followUp: FollowUp): NewFollowUp {
  return {
    kind: followUp.kind,
    data: dataOf(followUp),
    delayMs: followUp.kind === 'show' ? followUp.dueInMs : 0,
  };
}
