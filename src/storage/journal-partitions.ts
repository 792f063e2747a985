// The partitions of the journal, one per day of UTC: made two days ahead, dropped when they are older than they are to be
// kept, or, the oldest first, when the journal is larger than it may be. The partition of today is never dropped.
// Instances may do this at the same time: each waits for the other, and then finds it done. A day's partition that
// somebody has taken out is put back, because its rows are to be read and to be erased; where that is not possible the
// day gets another one.
import pg from 'pg';
import type { Database, Queryable } from './database.ts';

export interface JournalPartitions {
  /** Makes and drops what is due. Rejects when the journal is locked for longer than two seconds; then nothing is done. */
  keep(): Promise<PartitionsKept>;
}

/** Names of partitions. */
export interface PartitionsKept {
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}

export interface JournalPartitionsOptions {
  readonly database: Database;
  readonly retentionDays: number;
  /** Of the whole journal with its indexes. */
  readonly maxMegabytes: number;
  readonly now?: () => Date;
}

interface Partition {
  readonly name: string;
  readonly bytes: number;
}

const daysAhead = 2;
const dayMs = 24 * 60 * 60_000;
const bytesPerMegabyte = 1_000_000;

export function createJournalPartitions(options: JournalPartitionsOptions): JournalPartitions {
  const { database, retentionDays, maxMegabytes, now = () => new Date() } = options;
  return {
    keep: () =>
      exclusively(database, async transaction => {
        const today = startOfDay(now());
        const days = Array.from({ length: daysAhead + 1 }, (_, ahead) => new Date(today + ahead * dayMs));
        const made = await make(transaction, days);
        const dropped = expired(await partitionsOf(transaction), {
          today: nameOf(today),
          // The last day that may go is over for as long as it is to be kept.
          keptFrom: nameOf(startOfDay(now()) - retentionDays * dayMs),
          maxBytes: maxMegabytes * bytesPerMegabyte,
        });
        for (const name of dropped) await transaction.query(`drop table ${name}`);
        return { made, dropped };
      }),
  };
}

/** Those of the days that are not there yet. Rejects as `keep` does. */
export async function makePartitions(database: Database, days: readonly Date[]): Promise<readonly string[]> {
  return exclusively(database, transaction => make(transaction, days));
}

function exclusively<T>(database: Database, work: (transaction: Queryable) => Promise<T>): Promise<T> {
  return database.transaction(async transaction => {
    // Whoever waits for the lock of a table keeps everybody else waiting behind it.
    await transaction.query(`set local lock_timeout = '2s'`);
    await transaction.query(`select pg_advisory_xact_lock(hashtext('journal partitions'))`);
    return work(transaction);
  });
}

async function make(transaction: Queryable, days: readonly Date[]): Promise<readonly string[]> {
  await finishDetaching(transaction);
  const covered = new Set((await partitionsOf(transaction)).map(({ name }) => name.slice(0, nameLength)));
  const starts = new Map(days.map(day => [nameOf(startOfDay(day)), startOfDay(day)]));
  const missing = [...starts].filter(([name]) => !covered.has(name));
  const made: string[] = [];
  for (const [name, start] of missing) made.push(await makeOne(transaction, name, start));
  return made;
}

/** Resolves to its name. */
async function makeOne(transaction: Queryable, name: string, start: number): Promise<string> {
  const bounds = `for values from ('${new Date(start).toISOString()}') to ('${new Date(start + dayMs).toISOString()}')`;
  const taken = await tablesLike(transaction, name);
  if (
    taken.has(name) &&
    (await succeeds(transaction, `alter table journal attach partition ${name} ${bounds}`))
  )
    return name;
  const free = taken.has(name) ? freeName(name, taken) : name;
  await transaction.query(`create table ${free} partition of journal ${bounds}`);
  return free;
}

/** False where Postgres refuses that for what the table is; then nothing was done. */
async function succeeds(transaction: Queryable, statement: string): Promise<boolean> {
  await transaction.query('savepoint attempt');
  try {
    await transaction.query(statement);
    await transaction.query('release savepoint attempt');
    return true;
  } catch (error) {
    // Class 42: another shape; class 23: rows of other days. All else may go another time.
    if (!(error instanceof pg.DatabaseError) || !/^(42|23)/.test(error.code ?? '')) throw error;
    await transaction.query('rollback to savepoint attempt');
    return false;
  }
}

async function tablesLike(transaction: Queryable, name: string): Promise<ReadonlySet<string>> {
  const { rows } = await transaction.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = (select relnamespace from pg_class where oid = 'journal'::regclass)
       and starts_with(relname, $1)`,
    [name],
  );
  return new Set(rows.map(row => row.name));
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${name}_${number}`)) number += 1;
  return `${name}_${number}`;
}

/** One that is half detached takes no rows, and could not be put back. */
async function finishDetaching(transaction: Queryable): Promise<void> {
  const { rows } = await transaction.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'journal'::regclass and inhdetachpending`,
  );
  for (const { name } of rows)
    await transaction.query(`alter table journal detach partition ${name} finalize`);
}

/** The oldest first. */
async function partitionsOf(transaction: Queryable): Promise<readonly Partition[]> {
  const { rows } = await transaction.query<{ name: string; bytes: string }>(`
    select relname as name, pg_total_relation_size(oid) as bytes
    from pg_class where oid in (select inhrelid from pg_inherits where inhparent = 'journal'::regclass)
    order by relname`);
  return rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) }));
}

/** The names sort as the days do. */
function expired(
  partitions: readonly Partition[],
  {
    today,
    keptFrom,
    maxBytes,
  }: { readonly today: string; readonly keptFrom: string; readonly maxBytes: number },
): readonly string[] {
  let bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
  const dropped: string[] = [];
  for (const { name, bytes: size } of partitions) {
    if (name >= today || (name >= keptFrom && bytes <= maxBytes)) break;
    dropped.push(name);
    bytes -= size;
  }
  return dropped;
}

/** Epoch milliseconds. */
function startOfDay(date: Date): number {
  return Math.floor(date.getTime() / dayMs) * dayMs;
}

const nameLength = 'journal_yyyymmdd'.length;

function nameOf(start: number): string {
  return `journal_${new Date(start).toISOString().slice(0, 10).replaceAll('-', '')}`;
}
