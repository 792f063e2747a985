// This bot, with and without telemetry, beside a bare grammY bot, against the same local Bot API in one run. Absolute
// figures drift between machines; the ratios are what counts.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../sandbox/postgres.ts';
import type { Latency } from './latency.ts';
import { capacity, closedLoop, drain, openLoop, type Target, type Throughput } from './measure.ts';
import { type Child, residentMegabytes, startChild } from './processes.ts';
import {
  outputIn,
  type Surroundings,
  startTelegram,
  startVariant,
  type Telegram,
  type Variant,
} from './variants.ts';

const callMs = 100;
const variants: readonly Variant[] = ['ours', 'ours, telemetry off', 'bare grammY'];

/** Prints the table. `quick`: one short round instead of three, for a look. */
export async function measureThroughput(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3;
  const load = `load average before the run ${loadavg()[0]?.toFixed(1)}, ${availableParallelism()} cores`;
  const closed = {
    chats: 500,
    connections: 32,
    // V8 goes on optimizing for some ten seconds; a bot runs for days.
    warmupMs: quick ? 4_000 : 20_000,
    measureMs: quick ? 4_000 : 8_000,
  };

  const folder = await mkdtemp(path.join(tmpdir(), 'trt-bench-'));
  const postgres = await startPostgres({ durable: true });
  try {
    await using sink = await startChild({ script: 'bench/otlp-sink.ts' });
    const surroundings: Surroundings = { postgres, folder, otlpPort: sink.port };

    const closedResults = new Map<Variant, Throughput[]>(variants.map(variant => [variant, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const variant of variants) {
        note(`closed loop, round ${round + 1}: ${variant}`);
        const result = await withBot(variant, 0, surroundings, target => closedLoop(target, closed));
        closedResults.get(variant)?.push(result);
      }
    }
    note('idle memory, and 300/s');
    const steady = {
      chats: 500,
      perSecond: 300,
      seconds: quick ? 6 : 20,
      warmupSeconds: quick ? 4 : 10,
    };
    const idle = await withBot('ours', 0, surroundings, async target => {
      await sleep(quick ? 2_000 : 5_000);
      return { memory: residentMegabytes(target.pid), latencies: await openLoop(target, steady) };
    });
    const steadyBare = await withBot('bare grammY', 0, surroundings, target => openLoop(target, steady));
    note(`${callMs} ms per Bot API call`);
    const slow = { chats: 500, perSecond: 900, seconds: quick ? 6 : 12, warmupSeconds: quick ? 3 : 8 };
    const fast = { ...slow, chats: 1_000, perSecond: 1_100 };
    const slowOurs = await withBot('ours', callMs, surroundings, target => capacity(target, slow));
    const slowBare = await withBot('bare grammY', callMs, surroundings, target => capacity(target, slow));
    const fastOurs = await withBot('ours', callMs, surroundings, target => capacity(target, fast));
    const fastBare = await withBot('bare grammY', callMs, surroundings, target => capacity(target, fast));
    note('a backlog');
    const backlog = { chats: 100, perChat: 20, warmupRounds: quick ? 1 : 3 };
    const drained = await withBot('ours', callMs, surroundings, target => drain(target, backlog));

    const [ours, off, bare] = variants.map(variant => median(closedResults.get(variant) ?? []));
    if (!ours || !off || !bare) throw new Error('Nothing was measured');
    print([
      ['', 'ours', 'telemetry off', 'bare grammY', 'goal'],
      ['updates/s, closed loop', whole(ours.perSecond), whole(off.perSecond), whole(bare.perSecond), ''],
      [
        'CPU of the bot per update, µs',
        whole(ours.botMicroseconds),
        whole(off.botMicroseconds),
        whole(bare.botMicroseconds),
        '',
      ],
      ['  as a multiple of bare grammY', ratio(ours, bare), ratio(off, bare), '1.00', '≤ 1.00'],
      [
        '  of which telemetry',
        ((ours.botMicroseconds - off.botMicroseconds) / bare.botMicroseconds).toFixed(2),
        '',
        '',
        '≤ 0.40',
      ],
      [
        'CPU of Postgres per update, µs',
        whole(ours.postgresMicroseconds),
        whole(off.postgresMicroseconds),
        '',
        '',
      ],
      ...latencyRows('ack at 300/s', idle.latencies.ack, steadyBare.ack, { p50: 3, p99: 25 }),
      ...latencyRows('store to dispatch at 300/s', idle.latencies.dispatch, undefined, { p50: 5, p99: 50 }),
      [
        `updates/s, ${callMs} ms per call, ${slow.chats} chats, ${slow.perSecond}/s offered`,
        whole(slowOurs),
        '',
        whole(slowBare),
        '≥ 500',
      ],
      [
        `updates/s, ${callMs} ms per call, ${fast.chats} chats, ${fast.perSecond}/s offered`,
        whole(fastOurs),
        '',
        whole(fastBare),
        '≥ 1000',
      ],
      [
        `${backlog.perChat} updates in each of ${backlog.chats} chats at once, ms`,
        whole(drained),
        '',
        '',
        '',
      ],
      [
        '  as a multiple of the calls of one chat',
        (drained / (backlog.perChat * callMs)).toFixed(2),
        '',
        '',
        'about 1',
      ],
      ['idle memory, MiB', whole(idle.memory), '', '', '≤ 150'],
    ]);
    console.log(load);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function withBot<T>(
  variant: Variant,
  delayMs: number,
  surroundings: Surroundings,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  await using telegram: Telegram & Child = await startTelegram(delayMs);
  await using bot = await startVariant(variant, telegram, surroundings);
  return await work({
    pid: bot.pid,
    port: bot.port,
    telegram,
    ...(variant === 'bare grammY'
      ? {}
      : { postgresPid: surroundings.postgres.processId, output: outputIn(surroundings.folder) }),
  });
}

function median(results: readonly Throughput[]): Throughput | undefined {
  return [...results].sort((a, b) => a.botMicroseconds - b.botMicroseconds)[Math.floor(results.length / 2)];
}

function ratio(a: Throughput, b: Throughput): string {
  return (a.botMicroseconds / b.botMicroseconds).toFixed(2);
}

function latencyRows(
  what: string,
  ours: Latency | undefined,
  bare: Latency | undefined,
  goal: Latency,
): string[][] {
  const cell = (value: number | undefined): string => value?.toFixed(1) ?? '';
  return [
    [`${what}: p50, ms`, cell(ours?.p50), '', cell(bare?.p50), `≤ ${goal.p50}`],
    ['  p99, ms', cell(ours?.p99), '', cell(bare?.p99), `≤ ${goal.p99}`],
  ];
}

function whole(value: number): string {
  return String(Math.round(value));
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('   '),
    );
}
