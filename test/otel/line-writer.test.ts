// What a writer of lines promises: out before anything can be waited for, where the descriptor takes them; where it does
// not, nothing waits, nothing ends, memory has a bound, and a line says what was lost once it can be written.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLineWriter, type LineWriter, type LostLines } from '../../src/otel/line-writer.ts';
import { waitFor } from '../support/bot.ts';
import { createFifo, type Fifo } from '../support/fifo.ts';

/** More than the kernel keeps for a pipe. */
const pipeBytes = 70_000;
const line = (text: string): string => `${text.padEnd(99, '.')}\n`;

async function openWriter(): Promise<{ writer: LineWriter; written: () => Promise<string> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-lines-'));
  const file = path.join(folder, 'stdout.log');
  const handle = await open(file, 'w');
  onTestFinished(async () => {
    await handle.close();
    await rm(folder, { recursive: true });
  });
  return { writer: createLineWriter(handle.fd), written: () => readFile(file, 'utf8') };
}

test('lines are out, in order, before the code that wrote them goes on after an await', async () => {
  const { writer, written } = await openWriter();
  writer.write('one\n');
  writer.write('two\n');
  await undefined;
  const atOnce = written();
  writer.write('three\n');
  expect(await atOnce).toMatch(/^one\ntwo\n/);
  expect(await written()).toBe('one\ntwo\nthree\n');
});

test('a line that may be the last is out without an await', async () => {
  const { writer, written } = await openWriter();
  writer.write('fatal\n');
  writer.flushSync();
  expect(await written()).toBe('fatal\n');
});

test('where a pipe is full the rest waits for its reader, in order, and no byte is lost', async () => {
  const fifo = await createFifo();
  const writer = createLineWriter(fifo.openForWriting());
  // Two bytes each after a first one, so that what fits into the pipe ends in the middle of a character.
  const lines = [`x${'я'.repeat(100_000)}\n`, line('after'), line('last')];
  for (const text of lines) {
    writer.write(text);
    writer.flushSync();
  }
  expect(await readUntil(fifo, 'last')).toBe(lines.join(''));
  expect(writer.dropped()).toBe(0);
});

test('beyond the bound lines are dropped and counted; there is one gap, and right behind it stands what was lost', async () => {
  const fifo = await createFifo();
  const began: Error[] = [];
  const lost: LostLines[] = [];
  const writer: LineWriter = createLineWriter(fifo.openForWriting(), {
    limitBytes: 10_000,
    onDropping: reason => began.push(reason),
    onResumed(gap) {
      lost.push(gap);
      writer.write(line(`lost ${gap.lines}`));
    },
  });
  const total = (pipeBytes + 50_000) / 100;
  for (let index = 0; index < total; index += 1) {
    writer.write(line(`line ${index}`));
    await undefined;
  }
  expect(began).toEqual([expect.objectContaining({ code: 'EAGAIN' })]);
  expect(lost).toEqual([]);
  const dropped = writer.dropped();
  expect(dropped).toBeGreaterThan(300);

  let read = await readUntil(fifo, 'lost');
  writer.write(line('again'));
  read += await readUntil(fifo, 'again');
  const kept = Array.from({ length: total - dropped }, (_, index) => line(`line ${index}`));
  expect(read).toBe([...kept, line(`lost ${dropped}`), line('again')].join(''));
  expect(lost).toEqual([
    { lines: dropped, durationMs: expect.any(Number), reason: expect.objectContaining({ code: 'EAGAIN' }) },
  ]);
  expect(writer.dropped()).toBe(dropped);
});

test('a disk without room ends nothing and holds nothing up', async () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const began: Error[] = [];
  const writer = createLineWriter(full, { limitBytes: 1_000, onDropping: reason => began.push(reason) });
  for (let index = 0; index < 30; index += 1) {
    writer.write(line('one'));
    writer.flushSync();
  }
  expect(writer.dropped()).toBe(20);
  expect(began).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
  // Nothing is to be gained by waiting for it at the end.
  writer.drainSync(60_000);
});

test('what nobody reads any more goes to whoever comes to read instead', async () => {
  const fifo = await createFifo();
  const writer = createLineWriter(fifo.openForWriting());
  fifo.leave();
  writer.write(line('nobody is there'));
  writer.flushSync();
  fifo.comeBack();
  expect(await readUntil(fifo, 'nobody is there')).toBe(line('nobody is there'));
});

test('at the end what is left waits for its reader, for so long and no longer', async () => {
  const fifo = await createFifo();
  const writer = createLineWriter(fifo.openForWriting());
  writer.write(line('x').repeat(1_000));
  writer.write(line('last'));
  await writer.drain(1);
  writer.drainSync(1);
  const drained = writer.drain(60_000);
  const read = await readUntil(fifo, 'last');
  await drained;
  expect(read).toBe(line('x').repeat(1_000) + line('last'));
});

test('a process that ends writes what its reader takes, and ends where there is none', async () => {
  const fifo = await createFifo();
  const program = `
    import { createLineWriter } from ${moduleOf('line-writer')};
    import { openStdout } from ${moduleOf('stdout')};
    const writer = createLineWriter(openStdout());
    writer.write('x'.repeat(${pipeBytes}) + '\\n');
    process.exit(7);`;
  const writer = fifo.openForWriting();
  const run = (stdout: number | 'pipe'): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', stdout, 'pipe'],
      timeout: 30_000,
    });
  const read = run('pipe');
  expect([read.status, String(read.stdout).length]).toEqual([7, pipeBytes + 1]);
  expect(run(writer).status).toBe(7);
});

function moduleOf(name: string): string {
  return JSON.stringify(new URL(`../../src/otel/${name}.ts`, import.meta.url).href);
}

async function readUntil(fifo: Fifo, text: string): Promise<string> {
  let read = '';
  return waitFor(text, () => {
    read += fifo.read();
    return read.includes(text) && read.endsWith('\n') ? read : undefined;
  });
}
