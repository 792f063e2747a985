// The command line, in this process: what it prints, what it complains of, and its exit code.
import { run } from '../../src/cli/run.ts';

export interface CommandAnswer {
  readonly code: number;
  readonly output: string;
  readonly complaint: string;
}

/** Runs `trt` with nothing in its environment but what is given. */
export function trt(
  environment: Readonly<Record<string, string>>,
  ...words: string[]
): Promise<CommandAnswer> {
  return trtWith({ environment }, ...words);
}

export interface CommandSurroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** What comes on standard input. */
  readonly input?: string;
  readonly hasColours?: boolean;
}

export async function trtWith(
  { environment = {}, input = '', hasColours = false }: CommandSurroundings,
  ...words: string[]
): Promise<CommandAnswer> {
  const output: string[] = [];
  const complaint: string[] = [];
  const code = await run(words, {
    environment,
    print: text => void output.push(`${text}\n`),
    complain: text => void complaint.push(`${text}\n`),
    async *readLines() {
      yield* input.split('\n');
    },
    hasColours,
  });
  return { code, output: output.join(''), complaint: complaint.join('') };
}
