// One place in which an instance of the bot runs, as a platform keeps it: what ends unasked is started again, on the
// same port, and has its own way to the database and the suppliers. Ends that nobody asked for are remembered.
import { readFileSync } from 'node:fs';
import { errorMessage } from '../../src/errors.ts';
import type { Finding } from '../history/history.ts';
import type { LineCheck } from '../history/line-check.ts';
import { type Exit, type ProgramProcess, startProgramProcess } from '../program.ts';
import type { Proxies } from '../proxies.ts';
import type { TcpProxy } from '../tcp-proxy.ts';

export interface Slot {
  readonly number: number;
  readonly port: number;
  readonly proxies: Ways;
  readonly temporaryFolder: string;
  /** Of the process that runs, once it has said who it is. */
  readonly instanceId: string | undefined;
  /** There is a process, whatever it does. */
  readonly isRunning: boolean;
  /** How far the time of the last line of the process was from the time at which it came, in milliseconds. */
  readonly clockOffMs: number | undefined;
  /** It takes updates: it has booted, was not asked to end, and has not ended. */
  readonly isUp: boolean;
  /** Resolves when it is up. Rejects when it is not within the deadline. */
  whenUp(deadlineMs: number): Promise<void>;
  /** Starts it, from now on with this over its environment and these arguments of Node. */
  start(change?: Change): void;
  /**
   * SIGTERM; resolves when the process has ended. Not started again until `start`. `calm`: nothing hangs, so all of it
   * must have stopped; otherwise it may end with 1, once it has said in SHUTDOWN what did not.
   */
  stop(deadlineMs: number, weather?: 'calm'): Promise<void>;
  /** SIGKILL; not started again until `start`. */
  kill(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  readOutput(isRead: boolean): void;
  /**
   * The most that the process which runs has ever had in memory, in MB, as the kernel keeps it; undefined while nothing
   * runs.
   */
  peakMegabytes(): number | undefined;
  /** Ends that nobody asked for, and stops that took too long. */
  readonly findings: readonly Finding[];
}

export interface Ways extends Proxies {
  /** To the same Postgres: for the lock, the queue and the journal. */
  readonly lock: TcpProxy;
}

export interface Change {
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
}

export interface SlotOptions {
  readonly number: number;
  readonly port: number;
  readonly proxies: Ways;
  /** The process's own. */
  readonly temporaryFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly lineCheck: LineCheck;
  /** Told of each line, as it was written. */
  readonly onLine: (line: string) => void;
}

/** A platform's pause before it starts again what has ended. */
const restartMs = 500;
const keptLines = 8;

export function createSlot(options: SlotOptions): Slot {
  const { number, lineCheck } = options;
  const findings: Finding[] = [];
  const nodeArguments = ['--expose-gc'];
  let change: Change = {};
  let current: ProgramProcess | undefined;
  let instanceId: string | undefined;
  let hasBooted = false;
  let clockOffMs: number | undefined;
  /** What the process said that did not stop. */
  let leftHanging: string | undefined;
  let isWanted = false;

  function run(): void {
    const lastLines: string[] = [];
    instanceId = undefined;
    hasBooted = false;
    clockOffMs = undefined;
    leftHanging = undefined;
    const child = startProgramProcess({
      environment: {
        ...options.environment,
        TMPDIR: options.temporaryFolder,
        PORT: String(options.port),
        ...change.environment,
      },
      nodeArguments: [...nodeArguments, ...(change.nodeArguments ?? [])],
      onLine(text) {
        options.onLine(text);
        lastLines.push(text);
        if (lastLines.length > keptLines) lastLines.shift();
        const line = lineCheck.read(text);
        if (line === undefined || child !== current) return;
        if (typeof line.instance_id === 'string') instanceId = line.instance_id;
        if (typeof line.ts === 'string') clockOffMs = Date.parse(line.ts) - Date.now();
        if (line.name === 'BOOT_OK') hasBooted = true;
        if (line.name === 'SHUTDOWN' && typeof line.error_message === 'string')
          leftHanging = line.error_message;
      },
    });
    current = child;
    const ended = (how: string): void => {
      if (child !== current) return;
      const wasUp = hasBooted;
      current = undefined;
      hasBooted = false;
      if (!isWanted) return;
      // A start may fail while what it needs is away; whoever works must not end.
      if (wasUp)
        findings.push({
          subject: `instance ${number}`,
          problem: `ended unasked with ${how}:\n${lastLines.join('\n')}\n${child.stderr.slice(-2_000)}`,
        });
      setTimeout(() => {
        if (isWanted && current === undefined) run();
      }, restartMs);
    };
    child.exited.then(
      ({ code, signal }) => ended(String(code ?? signal)),
      (error: unknown) => ended(errorMessage(error)),
    );
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL', deadlineMs: number, weather?: 'calm'): Promise<void> {
    isWanted = false;
    const child = current;
    if (child === undefined) return;
    // A frozen process hears no signal but these, and one whose output nobody reads cannot end.
    child.signal('SIGCONT');
    child.readOutput(true);
    child.signal(signal);
    const exit = await within(child.exited, deadlineMs);
    if (exit === undefined) {
      findings.push({
        subject: `instance ${number}`,
        problem: `did not end within ${deadlineMs} ms of ${signal}`,
      });
      child.signal('SIGKILL');
      await child.exited;
    } else if (signal === 'SIGTERM' && hasBooted && exit.code !== null && exit.code !== 0) {
      if (weather === 'calm' || leftHanging === undefined)
        findings.push({
          subject: `instance ${number}`,
          problem: `ended with ${exit.code} on ${signal}: ${leftHanging ?? 'it has not said why'}`,
        });
    }
    if (current === child) current = undefined;
    hasBooted = false;
  }

  return {
    number,
    port: options.port,
    proxies: options.proxies,
    temporaryFolder: options.temporaryFolder,
    get instanceId() {
      return instanceId;
    },
    get isRunning() {
      return current !== undefined;
    },
    get clockOffMs() {
      return clockOffMs;
    },
    get isUp() {
      return isWanted && hasBooted;
    },
    async whenUp(deadlineMs) {
      const endsAt = performance.now() + deadlineMs;
      while (!(isWanted && hasBooted)) {
        if (performance.now() > endsAt)
          throw new Error(`instance ${number} is not up after ${deadlineMs} ms`);
        await new Promise(resolve => setTimeout(resolve, 20));
      }
    },
    start(next = {}) {
      change = next;
      isWanted = true;
      if (current === undefined) run();
    },
    stop: (deadlineMs, weather) => end('SIGTERM', deadlineMs, weather),
    kill: () => end('SIGKILL', 10_000),
    signal: name => current?.signal(name),
    readOutput: isRead => current?.readOutput(isRead),
    peakMegabytes() {
      if (current?.pid === undefined) return undefined;
      return peakOf(current.pid);
    },
    findings,
  };
}

/** Undefined for a process that has ended, and where there is no /proc. */
function peakOf(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}

async function within(exited: Promise<Exit>, deadlineMs: number): Promise<Exit | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      exited,
      new Promise<undefined>(resolve => {
        timer = setTimeout(resolve, deadlineMs, undefined);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
