// `npm run bench -- failover`: how long nobody is ACTIVE when an instance ends, crashes or freezes, with production's
// own limits, and what users notice of a deploy. Times are taken from the lines of the instances: from the signal to
// the LOCK_ACQUIRED of the other one.
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../sandbox/free-port.ts';
import { startPostgres } from '../sandbox/postgres.ts';
import { createLoad } from './load.ts';
import { type Child, startChild } from './processes.ts';
import { botEnvironment, startFlags, startTelegram, type Telegram } from './variants.ts';

interface Line {
  readonly name: string;
  readonly ts: string;
  readonly reason_code?: string;
}

interface Instance extends Child {
  lines(): Promise<readonly Line[]>;
  waitFor(name: string): Promise<Line>;
}

interface Place {
  readonly databaseUrl: string;
  readonly folder: string;
  readonly telegram: Telegram;
}

const rounds = 5;
const deadlineMs = 30_000;

export async function measureFailover(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-failover-'));
  const postgres = await startPostgres({ durable: true });
  try {
    await using telegram = await startTelegram(0);
    const inPlace = async <T>(work: (place: Place) => Promise<T>): Promise<T> =>
      work({ databaseUrl: await postgres.createDatabase(), folder, telegram });
    const repeated = async (signal: NodeJS.Signals): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1)
        times.push(await inPlace(place => timeToActive(place, signal)));
      return Math.max(...times);
    };
    console.error(`SIGTERM and kill -9, ${rounds} times each; a frozen holder, once; a deploy under taps`);
    const rows: [string, string, string][] = [
      ['time to ACTIVE, longest, ms', '', 'goal'],
      ['  SIGTERM of the ACTIVE', String(await repeated('SIGTERM')), '≤ 250'],
      ['  kill -9 of the ACTIVE', String(await repeated('SIGKILL')), '≤ 1000'],
      [
        '  frozen ACTIVE (STALE_IDLE_SECONDS=15)',
        String(await inPlace(place => timeToActive(place, 'SIGSTOP'))),
        '≤ 18000',
      ],
    ];
    const deploy = await inPlace(measureDeploy);
    rows.push(
      ['  new release: from the release of the lock', String(deploy.handOverMs), '≤ 250'],
      [`rejected clicks of ${deploy.taps} during the deploy`, String(deploy.rejected), '0'],
      ['  longest wait of a tap for its screen, ms', String(deploy.longestMs), ''],
    );
    for (const [what, value, goal] of rows) console.log(`${what.padEnd(48)}${value.padStart(8)}   ${goal}`);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function timeToActive(place: Place, signal: NodeJS.Signals): Promise<number> {
  await using first = await startInstance(place);
  await using second = await startInstance(place);
  await sleep(500);
  const signalledAt = Date.now();
  process.kill(first.pid, signal);
  const { ts } = await second.waitFor('LOCK_ACQUIRED');
  // A frozen process hears no SIGTERM.
  if (signal === 'SIGSTOP') process.kill(first.pid, 'SIGCONT');
  return Date.parse(ts) - signalledAt;
}

async function measureDeploy(
  place: Place,
): Promise<{ handOverMs: number; taps: number; rejected: number; longestMs: number }> {
  await using old = await startInstance(place, { RELEASE: 'old' });
  const chats = 50;
  const load = createLoad(old.port, chats, 16);
  await load.start();
  const before = await place.telegram.ended();
  let stopping = false;
  let taps = 0;
  let refused = 0;
  let longestMs = 0;
  const tapping = (async () => {
    while (!stopping) {
      const tappedAt = performance.now();
      await Promise.all(
        Array.from({ length: 5 }, (_none, index) => {
          taps += 1;
          return load.tap((taps + index) % chats).catch(() => {
            refused += 1;
          });
        }),
      );
      const seen = before + taps - refused;
      while ((await place.telegram.ended()) < seen && performance.now() - tappedAt < deadlineMs)
        await sleep(5);
      longestMs = Math.max(longestMs, performance.now() - tappedAt);
    }
  })();
  await sleep(2_000);
  await using next = await startInstance(place, { RELEASE: 'new' });
  const acquired = await next.waitFor('LOCK_ACQUIRED');
  const released = await old.waitFor('LOCK_RELEASED');
  await sleep(2_000);
  stopping = true;
  await tapping;
  await load.close();
  const lines = [...(await old.lines()), ...(await next.lines())];
  const rejected = refused + lines.filter(({ reason_code }) => reason_code === 'PASSIVE_REJECT').length;
  const handOverMs = Date.parse(acquired.ts) - Date.parse(released.ts);
  return { handOverMs, taps, rejected, longestMs: Math.round(longestMs) };
}

let started = 0;

async function startInstance(place: Place, environment: Record<string, string> = {}): Promise<Instance> {
  const port = await findFreePort();
  started += 1;
  const output = path.join(place.folder, `stdout-${started}.log`);
  openSync(output, 'w');
  const lines = async (): Promise<readonly Line[]> =>
    (await readFile(output, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line));
  const waitFor = async (name: string): Promise<Line> => {
    const endsAt = Date.now() + deadlineMs;
    for (;;) {
      const line = (await lines()).find(found => found.name === name);
      if (line) return line;
      if (Date.now() > endsAt) throw new Error(`No ${name} within ${deadlineMs} ms`);
      await sleep(10);
    }
  };
  const child = await startChild({
    script: 'src/main.ts',
    nodeArguments: startFlags,
    output,
    environment: {
      ...botEnvironment(place.telegram, place.databaseUrl),
      PORT: String(port),
      WEBHOOK_BASE_URL: `http://127.0.0.1:${port}`,
      ...environment,
    },
    ready: async () => {
      await waitFor('BOOT_OK');
      return port;
    },
  });
  return { ...child, lines, waitFor };
}
