// When each piece of housekeeping is due: by the clock of the database, and kept there, so that it outlives processes
// and belongs to all instances. Who takes what is due has put it off first, so nobody else takes it too, and what a
// process took to its grave is due again soon.
import type { CurrentLease } from '../lock/lease.ts';
import type { Queryable } from './database.ts';

export interface HousekeepingStore {
  /** Makes known how often each is to be done, by its name. A new one is due after its first interval. */
  plan(everyMs: Readonly<Record<string, number>>): Promise<void>;
  /** Takes those of the names that are due: unless they are `done`, they are due again after `retryMs`. */
  take(names: readonly string[], retryMs: number): Promise<readonly string[]>;
  /** It was done, and is due again after `everyMs`. */
  done(name: string, everyMs: number): Promise<void>;
}

const after = (parameter: string): string => `now() + ${parameter}::float8 * interval '1 millisecond'`;

export function createHousekeepingStore(queryable: Queryable, lease: CurrentLease): HousekeepingStore {
  return {
    async plan(everyMs) {
      // Whoever shortens an interval need not wait for the end of the old one.
      await queryable.query(
        `insert into housekeeping (name, due_at)
         select name, ${after('every_ms')} from unnest($1::text[], $2::float8[]) as planned (name, every_ms)
         order by name
         on conflict (name) do update set due_at = excluded.due_at where housekeeping.due_at > excluded.due_at`,
        [Object.keys(everyMs), Object.values(everyMs)],
      );
    },
    async take(names, retryMs) {
      const { rows } = await queryable.query<{ name: string }>(
        `with due as (
           select name from housekeeping
           where name = any ($1) and due_at <= now() and holds_lease($3, $4)
           for update skip locked
         )
         update housekeeping set due_at = ${after('$2')} from due where housekeeping.name = due.name
         returning housekeeping.name`,
        [names, retryMs, lease().name, lease().epoch],
      );
      return rows.map(({ name }) => name);
    },
    async done(name, everyMs) {
      await queryable.query(
        `update housekeeping set due_at = ${after('$2')}, last_run_at = now() where name = $1`,
        [name, everyMs],
      );
    },
  };
}
