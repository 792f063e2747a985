import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLineWriter, type LineWriter } from '../../src/otel/line-writer.ts';

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

test('where a pipe is full the rest waits for its reader, and no byte is lost', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-pipe-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const pipe = path.join(folder, 'pipe');
  const read = path.join(folder, 'read');
  execFileSync('mkfifo', [pipe]);
  const handle = await open(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => handle.close());
  // Two bytes each after a first one, so that what fits into the pipe ends in the middle of a character.
  const lines = `x${'я'.repeat(100_000)}\n`;
  const size = Buffer.byteLength(lines);
  const reader = spawn('sh', ['-c', `sleep 0.2; exec head -c ${size} "$0" > "$1"`, pipe, read]);
  const ended = once(reader, 'exit');

  const writer = createLineWriter(handle.fd);
  writer.write(lines);
  writer.flushSync();
  await ended;
  expect(size).toBeGreaterThan(65_536);
  expect(await readFile(read, 'utf8')).toBe(lines);
});
