// What of the telemetry is left without a place to export to: with the SDK disabled, without an endpoint, and
// with one that refuses, every update has its cid and its whole chain, and nothing complains.
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type Program, startProgram, startSurroundings } from '../support/process.ts';
import { acceptedRun, acceptedTap, paidTask } from '../support/story.ts';
import { walkToConfirm } from '../support/walk.ts';

/** src/main.ts gives the export 3 s of the shutdown; the rest is for a busy machine. */
const shutdownLimitMs = 25_000;

test.each([
  ['the SDK is disabled', { OTEL_SDK_DISABLED: 'true' }],
  [
    'the SDK is disabled although there is an endpoint',
    { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  ],
  ['no endpoint is set', {}],
  ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
] as const)('when %s, cids and chains are complete and nothing complains', async (_case, environment) => {
  await using surroundings = await startSurroundings();
  await using program = await startProgram({ ...surroundings.environment, ...environment });
  await expectWholeJourney(surroundings, program);
  await expectQuietEnd(program);
});

test('an endpoint that refuses every export changes nothing, and the shutdown keeps its deadline', async () => {
  await using surroundings = await startSurroundings();
  await using program = await startProgram({
    ...surroundings.environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await refusingPort()}`,
  });
  await expectWholeJourney(surroundings, program);
  await expectQuietEnd(program);
});

test('an endpoint that takes connections and never answers does not hold up the shutdown', async () => {
  const silent = createServer(socket => void socket.resume().on('error', () => undefined));
  const port = await new Promise<number>(resolve => {
    silent.listen(0, '127.0.0.1', () => resolve(portOf(silent)));
  });
  try {
    await using surroundings = await startSurroundings();
    await using program = await startProgram({
      ...surroundings.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    });
    await expectWholeJourney(surroundings, program);
    await expectQuietEnd(program);
  } finally {
    silent.close();
  }
});

async function expectWholeJourney(
  { telegram, user: newUser }: Awaited<ReturnType<typeof startSurroundings>>,
  program: Program,
): Promise<void> {
  const user = newUser();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  const cid = await program.cidOf(run.updateId);
  await program.waitForLine(line => line.cid === cid && line.name === 'RESULT_DELIVERED');
  const again = user.rawCallback('test:unknown');
  const refused = await program.cidOf(again.updateId);
  await program.waitForLine(line => line.cid === refused && line.name === 'DISPATCH_OK');
  await telegram.idle();

  expect(cid).toMatch(/^[0-9a-f]{8}$/);
  const chain = program.chainOf(cid);
  expect(chain.filter(name => name !== 'KIE_CALLBACK' && name !== 'TASK_PROGRESS')).toEqual([
    ...acceptedRun,
    ...paidTask,
    'RESULT_DELIVERED',
  ]);
  const ofRun = program.lines.filter(line => line.cid === cid);
  expect(new Set(ofRun.map(line => line.trace_id)).size).toBe(1);
  for (const line of ofRun) {
    expect(line.trace_id).toMatch(new RegExp(`^${cid}[0-9a-f]{24}$`));
    expect(line.span_id).toMatch(/^[0-9a-f]{16}$/);
    expect(line.msg).toContain(`cid=${cid} domain=${line.domain}`);
  }
  expect(program.lines.find(line => line.name === 'CALLBACK_REJECTED')).toMatchObject({
    cid: refused,
    reason_code: 'UNKNOWN_CALLBACK',
  });
  const received = program.lines.filter(line => line.name === 'UPDATE_RECEIVED');
  expect(new Set(received.map(line => line.cid)).size).toBe(received.length);
  const taps = received.filter(
    line => line.event_type === 'callback_query' && line.cid !== refused && line.cid !== cid,
  );
  expect(taps.map(line => program.chainOf(line.cid).filter(name => !name.startsWith('PARAM_')))).toEqual(
    taps.map(() => acceptedTap),
  );
}

async function expectQuietEnd(program: Program): Promise<void> {
  const startedAt = performance.now();
  expect(await program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  expect(performance.now() - startedAt).toBeLessThan(shutdownLimitMs);
  expect(program.lines.at(-1)).toMatchObject({ name: 'SHUTDOWN', operation: 'SIGTERM' });
  expect(program.lines.filter(line => line.name === 'SYSTEM_WARNING')).toEqual([]);
  expect(program.stderr).toBe('');
}

/** A port that was free a moment ago; nobody answers there. */
async function refusingPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise(resolve => server.close(resolve));
  return port;
}

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
