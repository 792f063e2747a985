// `npm run bench -- trace`: how long the cause of a click is looked for in a journal of a million events. A real bot
// writes the traces of real taps; they are multiplied in the database, each copy with a trace id of its own, over as many
// days as the journal is kept. Timed is what `trt trace` does: a connection, rows, chains, verdict; and, for a look, the
// whole command with the start of its process. All of it is gone with the embedded Postgres.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type SandboxPostgres, startPostgres } from '../sandbox/postgres.ts';
import { createJournalChains } from '../src/diagnosis/journal-chains.ts';
import { verdictOf } from '../src/diagnosis/verdict.ts';
import { Secret } from '../src/secret.ts';
import { createDatabase, type Database } from '../src/storage/database.ts';
import { makePartitions } from '../src/storage/journal-partitions.ts';
import { createJournalReader } from '../src/storage/journal-store.ts';
import { quantileOf } from './latency.ts';
import { createLoad } from './load.ts';
import { startChild } from './processes.ts';
import { startTelegram, startVariant } from './variants.ts';

const wantedEvents = 1_000_000;
const days = 30;
const dayMs = 24 * 60 * 60_000;
const chats = 20;
const tapsPerChat = 5;
const lookUps = 200;
const commands = 5;
const goalMs = 100;
const deadlineMs = 30_000;
const fillTimeoutMs = 300_000;
/** What is filled in need not survive the server, so that its log stays small. */
const settings = { wal_level: 'minimal', max_wal_senders: '0', max_wal_size: '256MB' };

export async function measureTrace(): Promise<void> {
  const postgres = await startPostgres({ settings });
  try {
    const url = await postgres.createDatabase();
    await writeTaps(postgres, url);
    const cids = await connected(url, async database => {
      await fill(database);
      return cidsOf(database);
    });
    // Of the new server's buffers none knows the rows yet.
    await postgres.restart();
    const load = loadavg()[0]?.toFixed(1);
    console.error(`load average before the look-ups ${load}, ${availableParallelism()} cores`);
    const times = await timesOf(cids, url);
    const whole = await commandTimes(cids.slice(0, commands), url);
    const row = (cells: readonly string[]): string =>
      cells.map((cell, index) => (index === 0 ? cell.padEnd(34) : cell.padStart(9))).join('');
    const milliseconds = (values: readonly number[]): string[] =>
      [quantileOf(values, 0.5), quantileOf(values, 0.95), Math.max(...values)].map(value => value.toFixed(1));
    console.log(row(['ms', 'p50', 'p95', 'longest', 'goal']));
    console.log(row([`connection to verdict, ${times.length} cids`, ...milliseconds(times), `≤ ${goalMs}`]));
    console.log(row([`the whole command, ${whole.length} cids`, ...milliseconds(whole)]));
    if (!(quantileOf(times, 0.95) <= goalMs)) process.exitCode = 1;
  } finally {
    await postgres.stop();
  }
}

/** Has a bot write the traces of taps into the journal, and ends it, so that nothing is left unwritten. */
async function writeTaps(postgres: SandboxPostgres, url: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-trace-'));
  try {
    await using sink = await startChild({ script: 'bench/otlp-sink.ts' });
    await using telegram = await startTelegram(0);
    await using bot = await startVariant('ours', telegram, {
      postgres: { ...postgres, createDatabase: async () => url },
      folder,
      otlpPort: sink.port,
    });
    const load = createLoad(bot.port, chats, chats);
    await load.start();
    const before = await telegram.ended();
    const tapped = Array.from({ length: chats * tapsPerChat }, (_none, tap) => load.tap(tap % chats));
    await Promise.all(tapped);
    const endsAt = Date.now() + deadlineMs;
    while ((await telegram.ended()) < before + tapped.length) {
      if (Date.now() > endsAt) throw new Error('The taps did not end');
      await sleep(10);
    }
    await load.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(database: Database): Promise<void> {
  const startedAt = performance.now();
  const now = Date.now();
  await makePartitions(
    database,
    Array.from({ length: days + 1 }, (_none, ago) => new Date(now - ago * dayMs)),
  );
  const columns = await columnsOf(database);
  const unchanged = columns.filter(name => !['at', 'cid', 'trace_id', 'lines'].includes(name)).join(', ');
  await database.query(
    `with taps as (
       select * from journal
       where trace_id in (select trace_id from journal where lines like '%"name":"CALLBACK_RECEIVED"%')
     ), copies as (
       select ceil($1::numeric / sum(event_count))::integer as count from taps
     )
     insert into journal (at, cid, trace_id, lines, ${unchanged})
     select at - copy * interval '1 day' * ($2::float8 / copies.count), left(id, 8), id,
       replace(replace(lines, trace_id, id), cid, left(id, 8)), ${unchanged}
     from copies, generate_series(1, copies.count) as copy, taps, lateral md5(copy || trace_id) as id`,
    [wantedEvents, days],
  );
  await database.query('analyze journal');
  const { rows } = await database.query<{ rows: string; events: string; megabytes: string }>(
    `select count(*) as rows, sum(event_count) as events,
       (select sum(pg_total_relation_size(inhrelid)) / 1000000 from pg_inherits
        where inhparent = 'journal'::regclass)::integer as megabytes
     from journal`,
  );
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  const { rows: stored, events, megabytes } = rows[0] ?? {};
  console.error(`${events} events in ${stored} rows of ${days} days, ${megabytes} MB, made in ${seconds} s`);
}

async function columnsOf(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = 'journal'::regclass and attnum > 0 and not attisdropped`,
  );
  return rows.map(({ name }) => name);
}

/** Of taps, at random. */
async function cidsOf(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ cid: string }>(
    `select cid from journal where span_name = 'dispatch update' and screen_id is not null
     order by random() limit $1`,
    [lookUps],
  );
  return rows.map(({ cid }) => cid);
}

/** Each on a connection of its own, as a command has it: the server knows nothing of the partitions yet, and plans anew. */
async function timesOf(cids: readonly string[], url: string): Promise<number[]> {
  const times: number[] = [];
  for (const cid of cids) {
    const startedAt = performance.now();
    const cause = await connected(url, async database => {
      const [chain] = await createJournalChains(createJournalReader(database)).byCid(cid);
      return chain && verdictOf(chain, 'en', { now: new Date() }).cause;
    });
    times.push(performance.now() - startedAt);
    if (cause !== 'done') throw new Error(`${cid} ended with ${cause}`);
  }
  return times;
}

async function commandTimes(cids: readonly string[], url: string): Promise<number[]> {
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const environment = { PATH: process.env.PATH, DATABASE_URL: url };
  const times: number[] = [];
  for (const cid of cids) {
    const startedAt = performance.now();
    await promisify(execFile)(process.execPath, [main, 'trace', cid], { env: environment });
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function connected<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = createDatabase({
    url: new Secret(url),
    instanceId: 'bench',
    poolSize: 1,
    deadlineMs: fillTimeoutMs,
    telemetry: { warn: () => undefined },
  });
  try {
    return await work(database);
  } finally {
    await database.stop();
  }
}
