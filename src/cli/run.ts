// What `trt` does with its words: finds the command, and turns what becomes of it into an exit code: 0 done, 1 not
// done and said why, 2 called in a way it does not know.
import { AppError } from '../errors.ts';
import { catalogue } from './catalogue.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { deadLetters } from './dead-letters.ts';
import { explain } from './explain.ts';
import { withChains } from './journal.ts';
import { reasonsCommand } from './reasons.ts';
import { replayCommand } from './replay.ts';
import { telemetryReferenceCommand } from './telemetry-reference.ts';
import { timeline } from './timeline.ts';
import { createTrace } from './trace.ts';

const commands: ReadonlyMap<string, Command> = new Map([
  ['catalogue', catalogue],
  ['dead-letters', deadLetters],
  ['trace', createTrace(withChains)],
  ['replay', replayCommand],
  ['timeline', timeline],
  ['reasons', reasonsCommand],
  ['explain', explain],
  ['telemetry-reference', telemetryReferenceCommand],
]);

/** Resolves to the exit code. Throws what is a defect of ours. */
export async function run([name, ...words]: readonly string[], terminal: Terminal): Promise<number> {
  const command = commands.get(name ?? 'help');
  if (name === undefined || name === 'help' || [name, ...words].some(isHelp)) {
    terminal.print(usage(command && [command]));
    return 0;
  }
  try {
    if (!command) throw new UsageError(`trt has no ${name}`);
    return (await command.run(words, terminal)) ? 0 : 1;
  } catch (error) {
    if (error instanceof AppError) {
      terminal.complain(error.message);
      return 1;
    }
    if (error instanceof UsageError || isParseError(error)) {
      terminal.complain(`${error.message}\n\n${usage()}`);
      return 2;
    }
    throw error;
  }
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function usage(of: Iterable<Command> = commands.values()): string {
  return ['Usage:', ...[...of].flatMap(command => command.usage.map(line => `  ${line}`))].join('\n');
}

/** parseArgs of node:util has no class for its errors. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
