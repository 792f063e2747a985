// The real program as a child process: `node --import ./src/otel/register.ts src/main.ts`, as `npm start` runs it.
// That is what restarts, hard kills and the environment variables of OpenTelemetry can be tried on. It is ended by
// its own pid, at the latest with this process.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramProcess {
  /** Undefined when it could not be started; `exited` says why. */
  readonly pid: number | undefined;
  /** What it has written to stderr so far. */
  readonly stderr: string;
  /** Sends nothing to a process that has ended, so a late signal cannot reach another one. */
  signal(name: NodeJS.Signals): void;
  /** False: nobody reads its stdout any more, until it is read again. */
  readOutput(isRead: boolean): void;
  /** Resolves when the process is gone and its output is read to the end. */
  readonly exited: Promise<Exit>;
}

export interface ProgramOptions {
  /** All of it: nothing of this machine's environment may change what is tried, least of all its OTEL_* variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told of each line of stdout. */
  readonly onLine: (line: string) => void;
  /** Where stdout goes instead: nobody here sees its lines then. */
  readonly stdout?: number;
  /** For Node, before the program. */
  readonly nodeArguments?: readonly string[];
}

/** Where Node keeps what it has compiled, if anywhere: that changes nothing but how long a start takes. */
export const compiledCode: Readonly<Record<string, string>> =
  process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };

const root = fileURLToPath(new URL('..', import.meta.url));

export function startProgramProcess(options: ProgramOptions): ProgramProcess {
  const { environment, onLine, nodeArguments = [] } = options;
  const child = spawn(
    process.execPath,
    [...nodeArguments, '--import', './src/otel/register.ts', 'src/main.ts'],
    {
      cwd: root,
      env: { PATH: process.env.PATH, ...compiledCode, ...environment },
      stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
    },
  );
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const output = child.stdout && createInterface({ input: child.stdout }).on('line', onLine);
  const exited = endOf(child).finally(() => process.off('exit', killNow));
  // Whoever does not wait for the end is not to fail by it.
  exited.catch(() => undefined);
  return {
    pid: child.pid,
    get stderr() {
      return stderr;
    },
    signal: name => void child.kill(name),
    readOutput(isRead) {
      if (isRead) output?.resume();
      else output?.pause();
    },
    exited,
  };
}

function endOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // Not `exit`: only at `close` the pipes are empty.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
