// The monitor of chaos against instances that say over HTTP what they say: which of them breaks the promise that nothing
// is healthy and idle.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { startMonitor } from '../../sandbox/chaos/monitor.ts';
import { waitFor } from '../support/bot.ts';

const owed = [{ kind: 'update', subject: 'update 7 (cid 0000000a)', age_ms: 60_000 }];
const owedLimitMs = 600;

test('an instance that is ready all the time while one update is owed is found, with what it says of itself', async () => {
  await using instance = await listen(200);
  const monitor = startMonitor({
    ground: { ask: askOf(() => owed), slots: [instance] },
    isStruck: () => false,
    owedLimitMs,
  });
  await waitFor('a finding', () => monitor.findings.length > 0 || undefined);
  await monitor.stop();
  expect(monitor.findings).toEqual([
    {
      subject: 'update 7 (cid 0000000a)',
      problem: expect.stringMatching(
        /^was owed for 60000 ms, while instance 1 said .* it was ready\. .*"ok":true/,
      ),
    },
  ]);
  expect(monitor.longestOwedMs).toBe(60_000);
});

test('a follow-up that nobody does is found, however fast updates are worked', async () => {
  await using instance = await listen(200);
  let turn = 0;
  const left = { kind: 'follow-up', subject: 'follow-up 3 of chat 61 (erase)', age_ms: 9_000 };
  const monitor = startMonitor({
    ground: {
      ask: askOf(() => [{ kind: 'update', subject: `update ${turn++}`, age_ms: 10 }, left]),
      slots: [instance],
    },
    isStruck: () => false,
    owedLimitMs,
  });
  await waitFor('a finding', () => monitor.findings.length > 0 || undefined);
  await monitor.stop();
  expect(monitor.findings.map(({ subject }) => subject)).toEqual([left.subject]);
  expect(monitor.longestOwedMs).toBe(10);
});

test('whoever says that it is not ready, is struck by a fault, or works update after update breaks nothing', async () => {
  await using unready = await listen(503);
  await using ready = await listen(200);
  let turn = 0;
  const monitors = [
    startMonitor({
      ground: { ask: askOf(() => owed), slots: [unready] },
      isStruck: () => false,
      owedLimitMs,
    }),
    startMonitor({
      ground: { ask: askOf(() => owed), slots: [ready] },
      isStruck: () => true,
      owedLimitMs,
    }),
    startMonitor({
      ground: {
        ask: askOf(() => [{ kind: 'update', subject: `update ${turn++}`, age_ms: 60_000 }]),
        slots: [ready],
      },
      isStruck: () => false,
      owedLimitMs,
    }),
  ];
  await waitFor('enough samples', () => monitors.every(({ samples }) => samples > 6) || undefined);
  await Promise.all(monitors.map(monitor => monitor.stop()));
  expect(monitors.flatMap(({ findings }) => findings)).toEqual([]);
});

test('the highest peak of all processes of an instance is kept', async () => {
  await using instance = await listen(200);
  const sizes = [120, 410, 130];
  const monitor = startMonitor({
    ground: { ask: askOf(() => []), slots: [{ ...instance, peakMegabytes: () => sizes.shift() }] },
    isStruck: () => false,
  });
  await waitFor('all samples', () => sizes.length === 0 || undefined);
  await monitor.stop();
  expect(monitor.peaks).toEqual([{ process: 'instance 1', megabytes: 410, limitMegabytes: 400 }]);
});

/** An instance that answers everything with this status. */
async function listen(status: number) {
  const server = createServer((_request, response) =>
    response.writeHead(status).end(JSON.stringify({ ok: status === 200 })),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    number: 1,
    port,
    isUp: true,
    peakMegabytes: () => 1,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** A database that knows only what is owed. */
function askOf(rows: () => object[]) {
  // SAFETY: the monitor asks one question, and these are rows of its answer.
  return async <R extends pg.QueryResultRow>(): Promise<R[]> => rows() as R[];
}
