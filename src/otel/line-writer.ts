// Writes lines to stdout: synchronously, those of one turn of code in one system call. A system call per line
// is a quarter of what telemetry costs, and most lines come in groups. A line never waits for anything: it is
// out before the code that emitted it goes on after its next `await`, so before any answer from outside can be
// seen. What a hard kill can take with it is what it interrupts in the middle of a turn, some microseconds.
import { writeSync } from 'node:fs';
import pino from 'pino';

export interface LineWriter {
  /** `line` ends with a newline. */
  write(line: string): void;
  /** pino calls it for a fatal line: the process may not come back from this turn. */
  flushSync(): void;
}

export function createLineWriter(descriptor: number): LineWriter {
  // It waits where a pipe is full, and knows what to do where nobody reads any more; both are rare, and a plain write
  // costs a third of one through it.
  const patient = pino.destination({ dest: descriptor, sync: true, contentMode: 'buffer' });
  let pending = '';

  function flushSync(): void {
    if (pending === '') return;
    const lines = pending;
    pending = '';
    const written = tryWrite(descriptor, lines);
    if (written === Buffer.byteLength(lines)) return;
    // SAFETY: in this mode it takes buffers, which its types do not know; the rest may begin inside a character.
    patient.write(Buffer.from(lines).subarray(written) as unknown as string);
  }

  // After process.exit() and after an uncaught error no microtask runs any more.
  process.on('exit', flushSync);

  return {
    flushSync,
    write(line) {
      if (pending === '') queueMicrotask(flushSync);
      pending += line;
    },
  };
}

/** How many bytes the descriptor took; none where it refused, and then the next write is told why. */
function tryWrite(descriptor: number, lines: string): number {
  try {
    return writeSync(descriptor, lines);
  } catch {
    return 0;
  }
}
