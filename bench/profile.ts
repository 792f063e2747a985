// `node bench/profile.ts`: where the time of one update goes, by package and by function. `--off` without telemetry.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../sandbox/postgres.ts';
import { closedLoop } from './measure.ts';
import { startChild } from './processes.ts';
import { startTelegram, startVariant } from './variants.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const folder = await mkdtemp(path.join(tmpdir(), 'trt-profile-'));
const file = path.join(folder, 'profile.json');
const postgres = await startPostgres({ durable: true });
try {
  await using sink = await startChild({ script: 'bench/otlp-sink.ts' });
  await using telegram = await startTelegram(0);
  const variant = process.argv.includes('--off') ? 'ours, telemetry off' : 'ours';
  process.env.PROFILE_FILE = file;
  await using bot = await startVariant(variant, telegram, { postgres, folder, otlpPort: sink.port }, [
    '--import',
    './bench/profile-preload.ts',
  ]);
  const target = { pid: bot.pid, port: bot.port, telegram, postgresPid: postgres.processId };
  const loop = { chats: 500, connections: 32, warmupMs: 3_000, measureMs: 1_000 };
  await closedLoop(target, loop);
  process.kill(bot.pid, 'SIGUSR2');
  const result = await closedLoop(target, { ...loop, warmupMs: 100, measureMs: 6_000 });
  process.kill(bot.pid, 'SIGUSR2');
  while (!existsSync(file)) await sleep(50);
  await sleep(500);
  report(JSON.parse(await readFile(file, 'utf8')));
  console.log(`\n${Math.round(result.botMicroseconds)} µs per update (with the profiler on)`);
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

function report(profile: Profile): void {
  const nodes = new Map(profile.nodes.map(node => [node.id, node]));
  const byPackage = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let total = 0;
  for (const [index, id] of profile.samples.entries()) {
    const frame = nodes.get(id)?.callFrame;
    if (!frame || frame.functionName === '(idle)') continue;
    const time = profile.timeDeltas[index] ?? 0;
    total += time;
    add(byPackage, packageOf(frame.url, frame.functionName), time);
    add(
      byFunction,
      `${frame.functionName || '(anonymous)'} ${shortUrl(frame.url)}:${frame.lineNumber + 1}`,
      time,
    );
  }
  for (const [title, table, count] of [
    ['by package', byPackage, 30],
    ['by function', byFunction, 60],
  ] as const) {
    console.log(`\n${title}`);
    for (const [name, time] of [...table].sort((a, b) => b[1] - a[1]).slice(0, count)) {
      console.log(`${((time / total) * 100).toFixed(1).padStart(6)} %  ${name}`);
    }
  }
}

function add(table: Map<string, number>, key: string, time: number): void {
  table.set(key, (table.get(key) ?? 0) + time);
}

function packageOf(url: string, name: string): string {
  if (url === '') return name.startsWith('(') ? name : 'native';
  if (url.startsWith('node:')) return `node:${url.slice(5).split('/')[0]}`;
  const inside = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1];
  return inside ?? `src/${/\/src\/([^/]+)/.exec(url)?.[1] ?? ''}`;
}

function shortUrl(url: string): string {
  return url.replace(/^.*(node_modules|\/src)\//, '');
}
