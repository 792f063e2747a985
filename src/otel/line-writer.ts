// Writes lines to stdout: synchronously, those of one turn of code in one system call. A system call per line
// is a quarter of what telemetry costs, and most lines come in groups. A line never waits for anything: it is
// out before the code that emitted it goes on after its next `await`, so before any answer from outside can be
// seen. What a hard kill can take with it is what it interrupts in the middle of a turn, some microseconds.
import pino from 'pino';

export interface LineWriter {
  /** `line` ends with a newline. */
  write(line: string): void;
  /** pino calls it for a fatal line: the process may not come back from this turn. */
  flushSync(): void;
}

export function createLineWriter(descriptor: number): LineWriter {
  // It waits where a pipe is full, instead of failing with EAGAIN.
  const destination = pino.destination({ dest: descriptor, sync: true });
  let pending = '';

  function flushSync(): void {
    if (pending === '') return;
    const lines = pending;
    pending = '';
    destination.write(lines);
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
