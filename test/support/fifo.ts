// A named pipe: a reader that can stop reading, go away, and come back, as the collector of a platform's logs can.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { onTestFinished } from 'vitest';

export interface Fifo {
  /** For the writer; waits for nothing. */
  openForWriting(): number;
  /** Everything that stands in the pipe now; '' where nothing does. */
  read(): string;
  /** Nobody reads any more. */
  leave(): void;
  comeBack(): void;
}

/** Removed when the test ends. It has a reader from the beginning, which reads only when it is told to. */
export async function createFifo(): Promise<Fifo> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-fifo-'));
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const openReader = (): number => openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  let reader: number | undefined = openReader();
  const decoder = new StringDecoder();
  const writers: number[] = [];
  const leave = (): void => {
    if (reader !== undefined) closeSync(reader);
    reader = undefined;
  };
  onTestFinished(async () => {
    leave();
    for (const writer of writers) closeSync(writer);
    await rm(folder, { recursive: true });
  });
  return {
    openForWriting() {
      const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
      writers.push(writer);
      return writer;
    },
    read() {
      let text = '';
      for (;;) {
        const chunk = Buffer.alloc(65_536);
        const length = readNow(reader, chunk);
        if (length === 0) return text;
        text += decoder.write(chunk.subarray(0, length));
      }
    },
    leave,
    comeBack() {
      reader ??= openReader();
    },
  };
}

function readNow(reader: number | undefined, chunk: Buffer): number {
  if (reader === undefined) throw new Error('Nobody reads this pipe now');
  try {
    return readSync(reader, chunk);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}
