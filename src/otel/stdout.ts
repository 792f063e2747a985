// Where lines go: stdout, opened so that a write never waits.
import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

export const stdoutDescriptor = 1;

/**
 * The descriptor for lines. A pipe and a terminal are opened once more where the system lets us, because whether a write
 * waits belongs to the open file, and that is shared with everybody who inherited it: npm, a shell, what they start.
 * Elsewhere the touch of `process.stdout` sets it for pipes and sockets. A regular file is used as it is: opened anew
 * it would be written from its beginning.
 */
export function openStdout(): number {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    if (fstatSync(stdoutDescriptor).isFIFO() || isatty(stdoutDescriptor))
      return openSync('/proc/self/fd/1', O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // No such path, not ours to open, or nobody reads the pipe now.
  }
  return process.stdout.fd;
}
