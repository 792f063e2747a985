// `npm run bench`: this bot, with and without telemetry, beside a bare grammY bot, against the same local Bot
// API in one run. Absolute figures drift between machines; the ratios are what counts. `--quick` for a look.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../src/sandbox/postgres.ts';
import { capacity, closedLoop, openLoop, type Target, type Throughput } from './measure.ts';
import { type Child, residentMegabytes, startChild } from './processes.ts';
import { type Surroundings, startTelegram, startVariant, type Telegram, type Variant } from './variants.ts';

const quick = process.argv.includes('--quick');
const rounds = quick ? 1 : 3;
const closed = {
  chats: 500,
  connections: 32,
  // V8 goes on optimizing for some ten seconds; a bot runs for days.
  warmupMs: quick ? 4_000 : 12_000,
  measureMs: quick ? 4_000 : 8_000,
};
const variants: readonly Variant[] = ['ours', 'ours, telemetry off', 'bare grammY'];

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
  note('idle memory and open loop at 300/s');
  const idle = await withBot('ours', 0, surroundings, async target => {
    await sleep(quick ? 2_000 : 5_000);
    return {
      memory: residentMegabytes(target.pid),
      ack: await openLoop(target, { chats: 500, perSecond: 300, seconds: quick ? 4 : 10 }),
    };
  });
  note('100 ms per Bot API call');
  const slow = { chats: 500, perSecond: 900, seconds: quick ? 6 : 12 };
  const slowOurs = await withBot('ours', 100, surroundings, target => capacity(target, slow));
  const slowBare = await withBot('bare grammY', 100, surroundings, target => capacity(target, slow));

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
    ['  as a multiple of bare grammY', ratio(ours, bare), ratio(off, bare), '1.00', '≤ 1.50'],
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
    [
      `updates/s, 100 ms per call, ${slow.perSecond}/s offered`,
      whole(slowOurs),
      '',
      whole(slowBare),
      '≥ 500',
    ],
    ['ack at 300/s: p50 / p99, ms', `${idle.ack.p50.toFixed(1)} / ${idle.ack.p99.toFixed(1)}`, '', '', ''],
    ['idle memory, MiB', whole(idle.memory), '', '', '≤ 150'],
  ]);
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
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
    ...(variant === 'bare grammY' ? {} : { postgresPid: postgres.processId }),
  });
}

function median(results: readonly Throughput[]): Throughput | undefined {
  return [...results].sort((a, b) => a.botMicroseconds - b.botMicroseconds)[Math.floor(results.length / 2)];
}

function ratio(a: Throughput, b: Throughput): string {
  return (a.botMicroseconds / b.botMicroseconds).toFixed(2);
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
