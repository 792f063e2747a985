// The lines of a log as it comes on standard input: UTF-8, UTF-16 as PowerShell redirects it, or compressed by gzip as
// rotated logs are. Which one it is stands in its first bytes.
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { errorType } from '../errors.ts';
import { UsageError } from './command.ts';

type Bytes = AsyncIterable<Buffer>;

/** Throws UsageError when compressed bytes are damaged; of those that are cut off it gives what can be read. */
export async function* linesOfLog(bytes: Bytes): AsyncGenerator<string> {
  const [head, whole] = await headOf(bytes);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* linesOf(head, whole);
    return;
  }
  try {
    yield* linesOf(...(await headOf(decompressed(whole))));
  } catch (error) {
    throw new UsageError(`standard input looks like gzip and is damaged (${errorType(error)})`);
  }
}

function decompressed(bytes: Bytes): Bytes {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  // What goes wrong ends the iteration with its error.
  return pipeline(Readable.from(bytes), gunzip, () => undefined);
}

/** The first two bytes, or fewer where there are no more, and all of it. */
async function headOf(bytes: Bytes): Promise<[Buffer, Bytes]> {
  const rest = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await rest.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  return [head, whole()];
}

async function* linesOf(head: Buffer, bytes: Bytes): AsyncGenerator<string> {
  const decoder = new TextDecoder(encodingOf(head));
  let begun = '';
  for await (const chunk of bytes) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    begun += first;
    for (const other of others) {
      yield begun;
      begun = other;
    }
  }
  yield begun + decoder.decode();
}

/** By the mark at the beginning, and without one by the zeros that ASCII has there. */
function encodingOf([first, second]: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if ((first === 0xff && second === 0xfe) || second === 0) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || first === 0) return 'utf-16be';
  return 'utf-8';
}
