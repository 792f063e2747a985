// What every command of `trt` is: it reads its own words, prints, and says whether it could do what was asked.

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A line, or several, of what was asked for. */
  print(text: string): void;
  /** Why it could not be done; kept apart from what was asked for. */
  complain(text: string): void;
  /** The lines of standard input; read only by commands that say so. */
  readLines(): AsyncIterable<string>;
  /** Whether what is printed may be coloured: false where it goes to a file or another program. */
  readonly hasColours: boolean;
}

export interface Command {
  /** One line per form of the command. */
  readonly usage: readonly string[];
  /**
   * Resolves to whether it did what was asked; it has said why if not. Throws UsageError when the words make no
   * sense, AppError with a sentence for the reader when its surroundings fail.
   */
  run(words: readonly string[], terminal: Terminal): Promise<boolean>;
}

/** The command was called in a way it does not know; the usage is shown. */
export class UsageError extends Error {}
