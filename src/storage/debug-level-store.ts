// Until when all instances emit DEBUG events, by the clock of the database, which all of them share.
import type { DebugLevelStore } from '../otel/debug-level.ts';
import type { Queryable } from './database.ts';

interface DebugLevelRecord {
  until: Date;
  /** float8 milliseconds. */
  remaining_ms: number;
  enabled_by: string;
}

const columns = `until, extract(epoch from until - now())::float8 * 1000 as remaining_ms, enabled_by`;

export function createDebugLevelStore(queryable: Queryable): DebugLevelStore {
  return {
    async read() {
      const { rows } = await queryable.query<DebugLevelRecord>(
        `select ${columns} from debug_level where until > now()`,
      );
      return rows[0] && periodOf(rows[0]);
    },
    async enable(minutes, by) {
      const { rows } = await queryable.query<DebugLevelRecord>(
        `insert into debug_level (until, enabled_by) values (now() + $1::float8 * interval '1 minute', $2)
         on conflict (id) do update set until = excluded.until, enabled_by = excluded.enabled_by
         returning ${columns}`,
        [minutes, by],
      );
      const [row] = rows;
      if (!row) throw new Error('An upsert gave no row');
      return periodOf(row);
    },
    async disable() {
      await queryable.query('delete from debug_level');
    },
  };
}

function periodOf({ until, remaining_ms: remainingMs, enabled_by: by }: DebugLevelRecord) {
  return { until, remainingMs, by };
}
