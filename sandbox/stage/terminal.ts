// What the demo and the smoke test say on the terminal while their parts start, and how they report an error.
import { AppError } from '../../src/errors.ts';
import { type Line, paint, span } from './columns.ts';

export interface Announcer {
  /** Says at once that a part is being started, and on the same line where it is once it is there. */
  announce(part: string): (where: string) => void;
  /** Prints what comes in between on a line of its own, so that a program can read it. */
  interject(line: string): void;
}

/** Cells before what is said of a part that has started. */
const announcementWidth = 64;

export function print(...lines: readonly Line[]): void {
  for (const line of lines) process.stdout.write(`${paint(line)}\n`);
}

export function createAnnouncer(): Announcer {
  let isLineOpen = false;
  return {
    announce(part) {
      const startedAt = performance.now();
      process.stdout.write(`  ${part} … `.padEnd(announcementWidth));
      isLineOpen = true;
      return where => {
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        const indent = isLineOpen ? '' : ' '.repeat(announcementWidth);
        print([span(indent), span('✔', 'green'), span(` ${seconds} s  ${where}`, 'dim')]);
        isLineOpen = false;
      };
    },
    interject(line) {
      process.stdout.write(isLineOpen ? `\n${line}` : line);
      isLineOpen = false;
    },
  };
}

/** What is meant for the one who started the program comes without a stack. */
export function explain(error: unknown): string {
  if (error instanceof AppError || (error instanceof TypeError && 'code' in error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
