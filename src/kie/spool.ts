// Files on their way are kept on the disk, so that a file of 50 MB costs the process only a buffer. Each is removed when
// its owner disposes of it. What a killed process has left is removed when the next process here takes its first file.
import { openAsBlob } from 'node:fs';
import { type FileHandle, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, errorType } from '../errors.ts';

export interface SpooledFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** The first bytes, enough to recognise its kind. */
  readonly head: Uint8Array;
  /** Its bytes, read from the disk when they are sent. */
  blob(): Promise<Blob>;
}

export interface Spool {
  /**
   * Rejects with nothing kept: with FileTooLarge when there are more than `maxBytes`, with AppError SPOOL_FAILED when the
   * disk does not take them, and with what `source` throws.
   */
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

/** The folder is made with the first file, and anew where a cleaner of old files has taken it. */
export function createSpool(parent: string = tmpdir()): Spool {
  let folder: Promise<string> | undefined;
  let isStopped = false;
  let count = 0;

  async function makeFolder(): Promise<string> {
    await removeLeftovers(parent);
    return mkdtemp(join(parent, `${folderPrefix}${process.pid}-`));
  }

  async function openFile(): Promise<{ readonly path: string; readonly file: FileHandle }> {
    folder ??= makeFolder();
    const made = folder;
    count += 1;
    const name = String(count);
    try {
      const path = join(await made, name);
      return { path, file: await open(path, 'wx', 0o600) };
    } catch (error) {
      // What could not be made now, or is gone, must not be missing for ever.
      if (folder === made && !isStopped) folder = undefined;
      throw error;
    }
  }

  /** Once more, for a folder that was there and is gone. */
  async function openAnew(): ReturnType<typeof openFile> {
    try {
      return await openFile();
    } catch (error) {
      if (isStopped || errorType(error) !== 'ENOENT') throw error;
      return openFile();
    }
  }

  /** Writes until the source ends. Returns what the file has become. */
  async function write(
    opened: FileHandle,
    source: AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<{ sizeBytes: number; head: Buffer }> {
    await using file = opened;
    let sizeBytes = 0;
    let head = Buffer.alloc(0);
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new FileTooLarge(maxBytes);
      if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
      await file.writeFile(chunk).catch(failed);
    }
    return { sizeBytes, head };
  }

  return {
    async take(source, maxBytes) {
      const { path, file } = await openAnew().catch(failed);
      const remove = (): Promise<void> => rm(path, { force: true });
      try {
        const { sizeBytes, head } = await write(file, source, maxBytes);
        return { path, sizeBytes, head, blob: () => openAsBlob(path), [Symbol.asyncDispose]: remove };
      } catch (error) {
        await remove();
        throw error;
      }
    },
    async stop() {
      isStopped = true;
      const made = await folder?.catch(() => undefined);
      if (made !== undefined) await rm(made, { recursive: true, force: true });
    },
  };
}

/** The error says that our disk is at fault: neither Telegram nor the host of a result can do anything about it. */
function failed(cause: unknown): never {
  throw new AppError({
    code: 'SPOOL_FAILED',
    message: `A file could not be written below TMPDIR: ${errorType(cause)}`,
    cause,
  });
}

/** As far as it may: no file of ours waits for what another user of the machine has left. */
async function removeLeftovers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const leftovers = names.filter(name => {
    const [, pid] = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name) ?? [];
    return pid !== undefined && !isAlive(Number(pid));
  });
  await Promise.allSettled(leftovers.map(name => rm(join(parent, name), { recursive: true, force: true })));
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
