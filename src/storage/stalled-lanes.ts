// Lanes whose oldest update nobody works, while nobody works anything: whatever keeps the workers from it. Two looks, so
// that a lock on the table of the second cannot hide what the first has seen.
import type { Queryable } from './database.ts';
import { pickLimitMs } from './update-pick.ts';

/** More than are ever worked at a time: so many are never all busy with what earlier updates have left to be done. */
const lanesMax = 1_000;

/**
 * The lanes whose oldest update was stored more than `limitMs` ago and is not in its first attempt, or has been in it for
 * longer than that; none when any update was worked to its end within that time. So a busy inbox costs one look at an
 * index, and a slow chat, whose update is being worked, is not among them. A second attempt hides nothing: where reading
 * is possible and no commit is, every update is picked again and again.
 */
export async function readWaitingLanes(queryable: Queryable, limitMs: number): Promise<number[]> {
  const { rows } = await queryable.query<{ lane: string }>(
    `select lane from (
       select distinct on (lane) lane, received_at, attempts, picked_by, picked_at
       from updates where outcome is null order by lane, id
     ) as heads
     where not (select exists (
         select from updates
         where epoch is not null and finished_at > now() - $1::float8 * interval '1 millisecond'))
       and received_at < now() - $1::float8 * interval '1 millisecond'
       and (picked_by is null or attempts > 1 or picked_at < now() - $1::float8 * interval '1 millisecond')
     limit $2`,
    [limitMs, lanesMax],
  );
  return rows.map(({ lane }) => Number(lane));
}

/** The lanes in which something is being done that an earlier update has left to be done. */
export async function readFollowedLanes(queryable: Queryable): Promise<number[]> {
  const { rows } = await queryable.query<{ lane: string }>(
    `select distinct lane from follow_ups
     where picked_by is not null and picked_at > now() - $1::float8 * interval '1 millisecond'`,
    [pickLimitMs],
  );
  return rows.map(({ lane }) => Number(lane));
}
