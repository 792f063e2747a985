// Files on their way, kept on the disk and not in memory: a file of 50 MB costs the process a buffer. Each is removed when
// its owner is done with it; what a killed process has left is removed by the next one on the machine.
import { openAsBlob } from 'node:fs';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SpooledFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** The first bytes, enough to tell its kind. */
  readonly head: Uint8Array;
  /** Its bytes, read from the disk when they are sent. */
  blob(): Promise<Blob>;
}

export interface Spool {
  /** Rejects with FileTooLarge, with nothing kept, when there are more than `maxBytes`, and with what `source` throws. */
  take(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<SpooledFile>;
  /** Removes everything. */
  stop(): Promise<void>;
}

export class FileTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`More than ${maxBytes} bytes`);
    this.name = 'FileTooLarge';
  }
}

const headBytes = 64;
const folderPrefix = 'trt-spool-';

/** The folder is made with the first file. */
export function createSpool(parent: string = tmpdir()): Spool {
  let folder: Promise<string> | undefined;
  let count = 0;

  async function makeFolder(): Promise<string> {
    await removeLeftovers(parent);
    return mkdtemp(join(parent, `${folderPrefix}${process.pid}-`));
  }

  /** Writes until the source ends. Returns what the file has become. */
  async function write(
    path: string,
    source: AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<{ sizeBytes: number; head: Buffer }> {
    await using file = await open(path, 'wx', 0o600);
    let sizeBytes = 0;
    let head = Buffer.alloc(0);
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new FileTooLarge(maxBytes);
      if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
      await file.writeFile(chunk);
    }
    return { sizeBytes, head };
  }

  return {
    async take(source, maxBytes) {
      folder ??= makeFolder();
      count += 1;
      const name = String(count);
      const path = join(await folder, name);
      const remove = (): Promise<void> => rm(path, { force: true });
      try {
        const { sizeBytes, head } = await write(path, source, maxBytes);
        return { path, sizeBytes, head, blob: () => openAsBlob(path), [Symbol.asyncDispose]: remove };
      } catch (error) {
        await remove();
        throw error;
      }
    },
    async stop() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
    },
  };
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid] = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  // In a container each process may have the number of the one before it; what is ours was made after this look.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
