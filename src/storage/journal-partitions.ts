// The partitions of the journal, one per day of UTC: made two days ahead, dropped when they are older than they are to be
// kept, or, the oldest first, when the journal is larger than it may be. The partition of today is never dropped.
// Instances may do this at the same time: each waits for the other, and then finds it done.
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

/** Those of the days that are not there yet. */
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
  const existing = new Set((await partitionsOf(transaction)).map(({ name }) => name));
  const starts = new Map(days.map(day => [nameOf(startOfDay(day)), startOfDay(day)]));
  const missing = [...starts].filter(([name]) => !existing.has(name));
  for (const [name, start] of missing)
    await transaction.query(
      `create table ${name} partition of journal
       for values from ('${new Date(start).toISOString()}') to ('${new Date(start + dayMs).toISOString()}')`,
    );
  return missing.map(([name]) => name);
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

function nameOf(start: number): string {
  return `journal_${new Date(start).toISOString().slice(0, 10).replaceAll('-', '')}`;
}
