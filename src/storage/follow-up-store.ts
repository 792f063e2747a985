// Rows of what updates have left to be done. They come to be in the statement that ends the update (update-finish.ts),
// each with a job for its lane, and go when they are done. What they say is opaque here.
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Database } from './database.ts';
import { addFollowUpJob } from './job-queue.ts';
import { pickLimitMs } from './update-pick.ts';
import { isWorkedElsewhere } from './worked-elsewhere.ts';

export interface PickedFollowUp {
  readonly id: number;
  readonly lane: number;
  readonly kind: string;
  readonly data: unknown;
  readonly traceparent: string;
  /** From 1; those that only found that it has to wait do not count. */
  readonly attempt: number;
  /** Which pick this is: the last one alone can end it. */
  readonly pick: number;
}

export interface FollowUpStore {
  /**
   * Takes the oldest one of the lane that is due, unless another instance has it; counts the attempt. Rejects with
   * AppError LEASE_LOST under a lost lease.
   */
  pick(lane: number): Promise<PickedFollowUp | undefined>;
  /** It is done. Nothing happens where another pick has it now. */
  finish(picked: PickedFollowUp): Promise<void>;
  /**
   * It is to be worked again after `delayMs`, from where `data` says, or without it from what its row says by now, which
   * is more than was picked where the work has stored how far it got. Nothing happens where another pick has it now.
   */
  postpone(picked: PickedFollowUp, delayMs: number, data?: object): Promise<void>;
  /** The same for one that was not tried: the pick counts as no attempt. */
  wait(picked: PickedFollowUp, delayMs: number): Promise<void>;
}

export interface FollowUpStoreOptions {
  readonly database: Database;
  readonly instanceId: string;
  readonly lease: CurrentLease;
}

interface PickRecord {
  held: boolean;
  /** Null in the one row there is when nothing was picked. */
  id: string | null;
  lane: string;
  kind: string;
  data: unknown;
  traceparent: string;
  attempts: number;
  waits: number;
}

export function createFollowUpStore({ database, instanceId, lease }: FollowUpStoreOptions): FollowUpStore {
  async function putOff(
    { id, lane, pick }: PickedFollowUp,
    delayMs: number,
    { data, isWait }: { readonly data?: object | undefined; readonly isWait: boolean },
  ): Promise<void> {
    await database.transaction(async transaction => {
      const { rowCount } = await transaction.query(
        `update follow_ups set picked_by = null, data = coalesce($5, data), waits = waits + $6,
           due_at = now() + $4 * interval '1 millisecond'
         where id = $1 and picked_by = $2 and attempts = $3`,
        [id, instanceId, pick, delayMs, data === undefined ? null : JSON.stringify(data), isWait ? 1 : 0],
      );
      if (rowCount) await addFollowUpJob(transaction, lane, delayMs);
    });
  }

  return {
    async pick(lane) {
      const { rows } = await database.prepared<PickRecord>(
        'follow_ups_pick',
        `with lease as materialized (
           select holds_lease($3, $4) as held
         ), oldest as (
           select id from follow_ups
           where lane = $1 and due_at <= now() and (select held from lease)
             and not ${isWorkedElsewhere('$1', '$2', '$5')}
           order by id limit 1 for update skip locked
         ), picked as (
           update follow_ups set attempts = attempts + 1, picked_by = $2, picked_at = now()
           from oldest where follow_ups.id = oldest.id returning follow_ups.*
         )
         select held, id, lane, kind, data, traceparent, attempts, waits from lease left join picked on true`,
        [lane, instanceId, lease().name, lease().epoch, pickLimitMs],
      );
      const [row] = rows;
      if (!row?.held) throw leaseLost();
      if (row.id === null) return undefined;
      const { kind, data, traceparent, attempts: pick, waits } = row;
      const attempt = pick - waits;
      return { id: Number(row.id), lane: Number(row.lane), kind, data, traceparent, attempt, pick };
    },
    async finish({ id, pick }) {
      await database.prepared(
        'follow_ups_finish',
        'delete from follow_ups where id = $1 and picked_by = $2 and attempts = $3',
        [id, instanceId, pick],
      );
    },
    postpone: (picked, delayMs, data) => putOff(picked, delayMs, { data, isWait: false }),
    wait: (picked, delayMs) => putOff(picked, delayMs, { isWait: true }),
  };
}
