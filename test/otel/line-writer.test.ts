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
