// A lease for tests of what is stored under one, taken as an instance takes it.
import type { CurrentLease } from '../../src/lock/lease.ts';
import type { Database } from '../../src/storage/database.ts';

/** Raises the epoch: what an earlier call returned holds nothing any more. */
export async function takeLease(database: Database): Promise<CurrentLease> {
  const { rows } = await database.query<{ epoch: string }>(
    `insert into leases (name, epoch, instance_id, release) values ('test', 1, 'test', 'test')
     on conflict (name) do update set epoch = leases.epoch + 1 returning epoch`,
  );
  const lease = { name: 'test', epoch: Number(rows[0]?.epoch) };
  return () => lease;
}
