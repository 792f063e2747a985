// Which of some stored updates nobody works yet, on whatever instance.
import type { Database } from './database.ts';

/** Those of the given updates that have no outcome and that no instance has picked. */
export type FindUnpicked = (updateIds: readonly number[]) => Promise<ReadonlySet<number>>;

export function createFindUnpicked(database: Pick<Database, 'query'>, botId: number): FindUnpicked {
  return async updateIds => {
    const { rows } = await database.query<{ update_id: string }>(
      `select update_id from updates
       where bot_id = $1 and update_id = any($2::bigint[]) and outcome is null and picked_by is null`,
      [botId, updateIds],
    );
    return new Set(rows.map(row => Number(row.update_id)));
  };
}
