// Files on the disk: what was written, and nothing that nobody has any more.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSpool, FileTooLarge } from '../../src/kie/spool.ts';

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'trt-test-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter(name => name.includes('/'));
}

test('files that are taken at once stand apart, byte for byte, until they are disposed of', async () => {
  await using place = await openFolder();
  const spool = createSpool(place.folder);
  const texts = Array.from({ length: 10 }, (_, index) => [`a${index}`, 'b', 'c'.repeat(100)]);
  const files = await Promise.all(texts.map(text => spool.take(chunksOf(...text), 1_000)));
  for (const [index, file] of files.entries()) {
    const text = texts[index]?.join('') ?? '';
    expect(await readFile(file.path, 'utf8')).toBe(text);
    expect(await (await file.blob()).text()).toBe(text);
    expect([file.sizeBytes, Buffer.from(file.head).toString()]).toEqual([text.length, text.slice(0, 64)]);
    await file[Symbol.asyncDispose]();
  }
  expect(await filesIn(place.folder)).toEqual([]);
  await spool.stop();
  expect(await readdir(place.folder)).toEqual([]);
});

test('of a file that is too large, or whose source breaks, nothing stays', async () => {
  await using place = await openFolder();
  const spool = createSpool(place.folder);
  await expect(spool.take(chunksOf('12345', '6'), 5)).rejects.toBeInstanceOf(FileTooLarge);
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('1');
    throw new Error('cut');
  }
  await expect(spool.take(broken(), 5)).rejects.toThrow('cut');
  expect(await filesIn(place.folder)).toEqual([]);
  await spool.stop();
});

/** A small disk of its own, where this process may have one. */
async function openSmallDisk() {
  const place = await openFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place.folder]).status === 0;
  return {
    ...place,
    mounted,
    async [Symbol.asyncDispose]() {
      if (mounted) spawnSync('umount', [place.folder]);
      await place[Symbol.asyncDispose]();
    },
  };
}

test('of a file that a full disk does not take nothing stays', async context => {
  await using place = await openSmallDisk();
  if (!place.mounted) return context.skip('no right to mount');
  const spool = createSpool(place.folder);
  await expect(spool.take(chunksOf('a'.repeat(40_000), 'b'.repeat(40_000)), 100_000)).rejects.toMatchObject({
    code: 'SPOOL_FAILED',
    message: 'A file could not be written below TMPDIR: ENOSPC',
  });
  expect(await filesIn(place.folder)).toEqual([]);
  // There is room again.
  await using file = await spool.take(chunksOf('a'), 5);
  expect(file.sizeBytes).toBe(1);
  await spool.stop();
});

test('what a killed process has left is removed, and what one that lives has is not', async () => {
  await using place = await openFolder();
  const { pid: gone } = spawnSync(process.execPath, ['--version']);
  await mkdir(join(place.folder, `trt-spool-${gone}-abc`));
  await mkdir(join(place.folder, `trt-spool-${process.ppid}-abc`));
  const spool = createSpool(place.folder);
  await spool.take(chunksOf('1'), 5);
  const names = await readdir(place.folder);
  expect(names).toHaveLength(2);
  expect(names).toContain(`trt-spool-${process.ppid}-abc`);
  await spool.stop();
});

test('a folder that cannot be made now is made for the next file', async () => {
  await using place = await openFolder();
  const parent = join(place.folder, 'not-yet');
  const spool = createSpool(parent);
  await expect(spool.take(chunksOf('1'), 5)).rejects.toThrow('ENOENT');
  await mkdir(parent);
  const file = await spool.take(chunksOf('2'), 5);
  expect(await readFile(file.path, 'utf8')).toBe('2');
  await spool.stop();
  expect(await readdir(parent)).toEqual([]);
});

test('a disk that does not take it is another error than a source that breaks', async () => {
  await using place = await openFolder();
  const noFolder = join(place.folder, 'file');
  await writeFile(noFolder, '');
  await expect(createSpool(noFolder).take(chunksOf('1'), 5)).rejects.toMatchObject({
    code: 'SPOOL_FAILED',
    retryable: true,
    message: 'A file could not be written below TMPDIR: ENOTDIR',
  });
});

test('a folder that a cleaner of old files has taken is made anew', async () => {
  await using place = await openFolder();
  const spool = createSpool(place.folder);
  await spool.take(chunksOf('1'), 5);
  for (const name of await readdir(place.folder)) await rm(join(place.folder, name), { recursive: true });
  const files = await Promise.all(['2', '3'].map(text => spool.take(chunksOf(text), 5)));
  expect(await Promise.all(files.map(({ path }) => readFile(path, 'utf8')))).toEqual(['2', '3']);
  await spool.stop();
  expect(await readdir(place.folder)).toEqual([]);
});
