// Writes lines to stdout: synchronously, those of one turn of code in one system call. A system call per line
// is a quarter of what telemetry costs, and most lines come in groups. While the descriptor takes bytes, a line never
// waits for anything: it is out before the code that emitted it goes on after its next `await`, so before any answer from
// outside can be seen. What a hard kill can take with it is what it interrupts in the middle of a turn, some
// microseconds. What the descriptor does not take (nobody reads the pipe, the disk is full) is kept within bounds and
// tried again, while the program goes on; beyond the bounds lines are dropped and counted until all that was kept is out,
// so that there is one gap, and what `onResumed` writes stands right behind it.
import { writeSync, writevSync } from 'node:fs';

export interface LineWriter {
  /** `line` ends with a newline. Never throws and never waits. */
  write(line: string): void;
  /** pino calls it for a fatal line: the process may not come back from this turn. Never waits. */
  flushSync(): void;
  /** Writes what is left, waiting at most `deadlineMs`; `sync` holds the thread meanwhile, for what ends without a turn. */
  drain(deadlineMs: number): Promise<void>;
  drainSync(deadlineMs: number): void;
  /** Lines that were dropped since the start. */
  dropped(): number;
}

export interface LineWriterOptions {
  /** Of what is kept for later; 8 MiB by default. */
  readonly limitBytes?: number;
  /** From here on lines are dropped; `reason` is what the last write failed with. */
  readonly onDropping?: (reason: Error) => void;
  /** Lines are written again; so many were dropped since, over so long. */
  readonly onResumed?: (lost: LostLines) => void;
}

export interface LostLines {
  readonly lines: number;
  readonly durationMs: number;
  readonly reason: Error;
}

/** Ten seconds and more of a thousand updates in the second. */
const defaultLimitBytes = 8 * 1_048_576;
/** A slow reader is followed closely, one that does not read at all is asked four times a second. */
const firstRetryMs = 1;
const lastRetryMs = 250;
/** The most that one turn of the loop writes of what was kept. */
const turnBytes = 1_048_576;
const turnBuffers = 512;
const exitDeadlineMs = 250;
const drainPauseMs = 5;

export function createLineWriter(descriptor: number, options: LineWriterOptions = {}): LineWriter {
  const { limitBytes = defaultLimitBytes, onDropping, onResumed } = options;
  let pending = '';
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let trouble: Error | undefined;
  let isPlanned = false;
  let retryMs = firstRetryMs;
  let dropped = 0;
  /** Set from the first line that is dropped until all that was kept is out. */
  let gap: { readonly since: number; readonly droppedBefore: number } | undefined;

  function flushSync(): void {
    if (pending === '') return;
    const lines = pending;
    pending = '';
    if (keptBytes > 0) {
      keep(Buffer.from(lines));
      return;
    }
    const written = attempt(() => writeSync(descriptor, lines));
    if (written === Buffer.byteLength(lines)) return;
    keep(Buffer.from(lines).subarray(written), written > 0);
    plan();
  }

  /** `isBegun`: the first of these lines is out by half, and dropping the rest would spoil it. */
  function keep(bytes: Buffer, isBegun = false): void {
    if (isBegun || (!gap && keptBytes + bytes.length <= limitBytes)) {
      kept.push(bytes);
      keptBytes += bytes.length;
      return;
    }
    const isFirst = !gap;
    gap ??= { since: performance.now(), droppedBefore: dropped };
    dropped += linesIn(bytes);
    if (isFirst) onDropping?.(trouble ?? new Error('stdout takes no bytes'));
  }

  /** How many bytes were taken; none where the descriptor refused. */
  function attempt(write: () => number): number {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      trouble = error;
      return 0;
    }
  }

  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      const written = writeKept();
      retryMs = written > 0 ? firstRetryMs : Math.min(retryMs * 2, lastRetryMs);
      if (keptBytes > 0) plan();
    }, retryMs).unref();
  }

  /** As much as the descriptor takes now, within what one turn may cost; returns how much that was. */
  function writeKept(): number {
    let total = 0;
    while (keptBytes > 0 && total < turnBytes) {
      const offered = kept.slice(0, turnBuffers);
      const written = attempt(() => writevSync(descriptor, offered));
      if (written === 0) break;
      total += written;
      forget(written);
    }
    if (keptBytes === 0) resume();
    return total;
  }

  function forget(written: number): void {
    keptBytes -= written;
    let rest = written;
    const firstLeft = kept.findIndex(bytes => {
      if (rest < bytes.length) return true;
      rest -= bytes.length;
      return false;
    });
    const left = firstLeft === -1 ? [] : kept.slice(firstLeft);
    if (left[0]) left[0] = left[0].subarray(rest);
    kept = left;
  }

  function resume(): void {
    const ended = gap;
    const reason = trouble;
    gap = undefined;
    trouble = undefined;
    retryMs = firstRetryMs;
    if (!ended) return;
    const lines = dropped - ended.droppedBefore;
    const durationMs = performance.now() - ended.since;
    onResumed?.({ lines, durationMs, reason: reason ?? new Error('stdout took no bytes') });
    // What that has written belongs right behind the gap.
    flushSync();
  }

  function drainSync(deadlineMs: number): void {
    flushSync();
    const endsAt = performance.now() + deadlineMs;
    while (keptBytes > 0) {
      if (writeKept() > 0) continue;
      // Only a reader can come back within such a time, not a disk.
      if (!isFull(trouble) || performance.now() >= endsAt) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, drainPauseMs);
    }
  }

  // After process.exit() and after an uncaught error no microtask runs any more.
  process.on('exit', () => drainSync(exitDeadlineMs));

  return {
    flushSync,
    drainSync,
    write(line) {
      if (pending === '') queueMicrotask(flushSync);
      pending += line;
    },
    async drain(deadlineMs) {
      flushSync();
      const endsAt = performance.now() + deadlineMs;
      while (keptBytes > 0 && performance.now() < endsAt) {
        if (writeKept() > 0) continue;
        await new Promise(resolve => setTimeout(resolve, drainPauseMs));
      }
    },
    dropped: () => dropped,
  };
}

function isFull(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'EAGAIN';
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
