// Child processes of the benchmark and what they use. Everything started here is ended by its own pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

export interface ChildOptions {
  readonly script: string;
  readonly nodeArguments?: readonly string[];
  readonly scriptArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** stdout goes to this file; the port is then given by `ready`. */
  readonly output?: string;
  /** Resolves to its port when the program is ready, where it does not print `listening`. */
  readonly ready?: () => Promise<number>;
}

const root = fileURLToPath(new URL('..', import.meta.url));

export async function startChild(options: ChildOptions): Promise<Child> {
  const output = options.output === undefined ? undefined : openSync(options.output, 'w');
  const child = spawn(
    process.execPath,
    [...(options.nodeArguments ?? []), options.script, ...(options.scriptArguments ?? [])],
    {
      cwd: root,
      env: { PATH: process.env.PATH, ...options.environment },
      stdio: ['ignore', output ?? 'pipe', 'inherit'],
    },
  );
  if (output !== undefined) closeSync(output);
  const port = await (options.ready ? options.ready() : listeningPort(child));
  return {
    pid: child.pid ?? 0,
    port,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function listeningPort(child: ChildProcess): Promise<number> {
  let printed = '';
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk);
    const match = /listening (\d+)/.exec(printed);
    if (match) {
      child.stdout?.resume();
      return Number(match[1]);
    }
  }
  throw new Error(`A child ended before it listened: ${printed}`);
}

/** Clock ticks per second of /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** User and system CPU of a process and of its children that have ended, in seconds. */
export function cpuSeconds(pid: number): number {
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = statFields(pid).slice(11, 15).map(Number);
  return (utime + stime + cutime + cstime) / ticksPerSecond;
}

/** The same for a process and all its living children: a Postgres. */
export function treeCpuSeconds(pid: number): number {
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name) && parentOf(Number(name)) === pid);
  return children.reduce((sum, child) => sum + cpuSeconds(Number(child)), cpuSeconds(pid));
}

/** Resident memory in MiB. */
export function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    // It ended since the folder was read.
    return undefined;
  }
}

/** The fields after the command's name, which may itself hold spaces. */
function statFields(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
}
