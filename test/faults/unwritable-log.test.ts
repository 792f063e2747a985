// The log cannot be written: a full disk, a reader that stops, goes away, or comes back. The bot goes on, answers its
// users and its probes, and ends when it is asked to; what the log lacks is counted, and the journal has it.
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import { waitFor } from '../support/bot.ts';
import { createFifo } from '../support/fifo.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { type Program, runProgram, type Surroundings, startSurroundings } from '../support/process.ts';

const waitMs = { deadlineMs: patienceMs };

interface Running extends AsyncDisposable {
  readonly surroundings: Surroundings;
  readonly program: Program;
  readonly url: string;
}

test(
  'a full disk behind stdout keeps the bot neither from starting nor from working nor from ending',
  async () => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    await using running = await startSilently(full);
    await tap(running, 3);
    await stillLives(running);
    expect(await running.program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(await journaled(running)).toEqual(
      expect.arrayContaining(['BOOT_OK', 'DISPATCH_OK', 'LOCK_RELEASED']),
    );
  },
  testLimitMs,
);

test(
  'a reader that stops reading holds nothing up, and finds every line when it reads again',
  async () => {
    const fifo = await createFifo();
    await using running = await startSilently(fifo.openForWriting());
    // Some 6 000 bytes each; the kernel keeps 65 536 for a pipe.
    const updates = await tap(running, 40);
    await stillLives(running);
    let read = '';
    const names = (): { name: string; update_id?: number }[] =>
      read
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line));
    await waitFor('the last line', () => {
      read += fifo.read();
      return read.endsWith('\n') &&
        names().filter(({ name }) => name === 'DISPATCH_OK').length === updates.length
        ? true
        : undefined;
    });
    for (const event of ['UPDATE_RECEIVED', 'DISPATCH_OK'])
      expect(
        names()
          .filter(({ name }) => name === event)
          .map(({ update_id }) => update_id)
          .toSorted(),
      ).toEqual(updates.toSorted());
  },
  testLimitMs,
);

test(
  'a reader that never reads again keeps nobody from ending the bot',
  async () => {
    const fifo = await createFifo();
    await using running = await startSilently(fifo.openForWriting(), { SHUTDOWN_GRACE_SECONDS: '15' });
    await tap(running, 20);
    expect(await running.program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(await journaled(running)).toEqual(expect.arrayContaining(['LOCK_RELEASED']));
  },
  testLimitMs,
);

test(
  'a reader that goes away costs its lines and nothing else',
  async () => {
    const fifo = await createFifo();
    await using running = await startSilently(fifo.openForWriting());
    fifo.leave();
    await tap(running, 3);
    await stillLives(running);
    fifo.comeBack();
    await waitFor('lines', () => (fifo.read().includes('DISPATCH_OK') ? true : undefined));
    expect(await running.program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  },
  testLimitMs,
);

test(
  'a crash ends the process, also where nobody reads what it says last',
  async () => {
    const fifo = await createFifo();
    await using running = await startSilently(fifo.openForWriting(), {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('../support/forgotten-error.ts', import.meta.url))}`,
    });
    await tap(running, 20);
    running.surroundings.user().start();
    const user = running.surroundings.user();
    user.start();
    await user.waitForMessage(/.+/s, waitMs);
    user.rawCallback('test:unknown');
    expect(await running.program.exited).toEqual({ code: 1, signal: null });
  },
  testLimitMs,
);

/** A bot whose lines nobody reads yet. */
async function startSilently(stdout: number, environment: Record<string, string> = {}): Promise<Running> {
  const surroundings = await startSurroundings();
  const port = String(await findFreePort());
  const url = `http://127.0.0.1:${port}`;
  const program = runProgram(
    { ...surroundings.environment, PORT: port, WEBHOOK_BASE_URL: url, ...environment },
    stdout,
  );
  const running: Running = {
    surroundings,
    program,
    url,
    async [Symbol.asyncDispose]() {
      await program.stop();
      await surroundings[Symbol.asyncDispose]();
    },
  };
  await waitFor(
    'a bot that is ACTIVE',
    () => isActive(url),
    () => program.stderr,
    waitMs.deadlineMs,
  );
  return running;
}

async function isActive(url: string): Promise<true | undefined> {
  const answer = await fetch(`${url}/health`).catch(() => undefined);
  // SAFETY: docs/operations.md lists the fields.
  const health = (await answer?.json().catch(() => undefined)) as { lock_state?: string } | undefined;
  return health?.lock_state === 'ACTIVE' || undefined;
}

/** So many users write, each is answered. Returns the ids of their updates. */
async function tap({ surroundings }: Running, count: number): Promise<number[]> {
  const users = Array.from({ length: count }, () => surroundings.user());
  const updates = users.map(user => user.start().updateId);
  for (const user of users) await user.waitForMessage(/.+/s, waitMs);
  return updates;
}

async function stillLives({ url }: Running): Promise<void> {
  for (const route of ['livez', 'readyz', 'health'])
    expect((await fetch(`${url}/${route}`)).status).toBe(200);
}

/** The names of all events in the journal. */
async function journaled({ surroundings }: Running): Promise<string[]> {
  const rows = await surroundings.database.query<{ lines: string }>('select lines from journal');
  return rows.flatMap(({ lines }) => [...lines.matchAll(/"name":"([A-Z_]+)"/g)].map(([, name = '']) => name));
}
