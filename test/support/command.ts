// A command of the project as a visitor runs it, in a process of its own, with an environment and a temporary folder of
// its own, so that whatever it leaves behind is seen.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { compiledCode } from '../../sandbox/program.ts';

export interface Command extends AsyncDisposable {
  /** stdout and stderr so far. */
  output(): string;
  /** Resolves with the first group of the pattern once it was printed; rejects when the command ends before. */
  printed(pattern: RegExp): Promise<string>;
  /** As a terminal does it on Ctrl-C: the whole process group gets the signal. */
  pressCtrlC(): void;
  /** To the command alone, and not to what it has started. */
  send(signal: NodeJS.Signals): void;
  ended(): Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Files and folders it has left. */
  remains(): Promise<readonly string[]>;
  /** Whether a process that it started is still there. */
  hasProcesses(): boolean;
}

/** Starts a script of package.json that is one call of Node. */
export async function startCommand(
  script: 'demo' | 'smoke' | 'trt',
  options: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Command> {
  // Short, because the path of a Unix socket below it is limited; open to the user that Postgres runs as.
  const folder = await mkdtemp(path.join(tmpdir(), 'd-'));
  await chmod(folder, 0o711);
  const [, ...command] = packageJson.scripts[script].replace(/^exec /, '').split(' ');
  const child = spawn(process.execPath, [...command, ...options], {
    cwd: path.join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH, ...compiledCode, HOME: folder, TMPDIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ending = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return {
    output: () => output,
    printed: pattern =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output)?.[1];
          if (found !== undefined) resolve(found);
        };
        child.stdout.on('data', look);
        look();
        const fail = (): void => reject(new Error(`${pattern} was not printed:\n${output}`));
        ending.then(fail, fail);
      }),
    pressCtrlC: () => void signalGroup(child, 'SIGINT'),
    send: signal => void child.kill(signal),
    ended: () => ending,
    remains: () => readdir(folder),
    hasProcesses: () => signalGroup(child, 0),
    async [Symbol.asyncDispose]() {
      signalGroup(child, 'SIGKILL');
      await ending;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** False when the group has no process. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}
