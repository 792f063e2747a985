// The real program as a child process, while the stand-ins live in the process of the test and outlast it.
import { type KieSandbox, type KieSandboxOptions, startKieSandbox } from '../../sandbox/kie/index.ts';
import { type Exit, startProgramProcess } from '../../sandbox/program.ts';
import { type Proxies, startProxies } from '../../sandbox/proxies.ts';
import { standInEnvironment } from '../../sandbox/stand-in-environment.ts';
import { startHttpProxy, type TcpProxy } from '../../sandbox/tcp-proxy.ts';
import {
  type SandboxUser,
  startTelegramSandbox,
  type TelegramSandbox,
  type TelegramSandboxOptions,
} from '../../sandbox/telegram/index.ts';
import { createLifecycle } from '../../src/lifecycle.ts';
import { type Line, waitFor, webhookSecret } from './bot.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { patienceMs } from './patience.ts';

type Environment = Readonly<Record<string, string>>;

/** Everything around the program: it can die and come back, this stays. */
export interface Surroundings extends AsyncDisposable {
  readonly telegram: TelegramSandbox;
  readonly kie: KieSandbox;
  readonly database: TestDatabase;
  /** Leads a program to these stand-ins, past any proxy. */
  readonly environment: Environment;
  /** Before KIE.ai's result files, for whoever downloads them. */
  readonly fileHost: TcpProxy;
  /** Proxies before the database and the stand-ins, and the environment that leads a program through them. */
  proxies(): Promise<Proxies>;
  /** A user with an English profile. */
  user(): SandboxUser;
}

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Lines of stdout as they were written. */
  readonly output: readonly string[];
  /** The same, parsed; empty with LOG_FORMAT=kv. */
  readonly lines: readonly Line[];
  readonly stderr: string;
  waitForLine(fits: (line: Line) => boolean): Promise<Line>;
  /** Waits for one of these events, of whichever cid. */
  waitForEvent(...names: string[]): Promise<Line>;
  /** Waits for a line of stdout that holds this text, in either format. */
  waitForText(text: string): Promise<string>;
  /** The cid of the update with that Telegram id. */
  cidOf(updateId: number): Promise<string>;
  /** The names of the events of one cid, in their order. */
  chainOf(cid: string): string[];
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone and its output is read to the end. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, unless it has ended. */
  stop(): Promise<Exit>;
}

export const kieHmacKey = 'canary-hmac-key-4242';
export const hashSecret = 'canary-hash-secret-0123456789';

export interface SurroundingsOptions {
  readonly telegram?: TelegramSandboxOptions;
  readonly kie?: KieSandboxOptions;
  /** Another database than one on the server that all tests share. */
  readonly database?: TestDatabase;
}

export async function startSurroundings(options: SurroundingsOptions = {}): Promise<Surroundings> {
  const lifecycle = createLifecycle();
  const database = options.database ?? (await createTestDatabase());
  lifecycle.onStop('database', () => database.drop());
  const telegram = await startTelegramSandbox({
    retryDelaysMs: { base: 20, cap: 200 },
    ...options.telegram,
  });
  lifecycle.onStop('Telegram', () => telegram.stop());
  const kie = await startKieSandbox({
    stepMs: 20,
    callbackRetryDelayMs: 20,
    webhookHmacKey: kieHmacKey,
    ...options.kie,
  });
  lifecycle.onStop('KIE', () => kie.stop());
  const fileHost = await startHttpProxy(kie.apiUrl);
  lifecycle.onStop('file host', () => fileHost[Symbol.asyncDispose]());
  kie.offerFilesAt(fileHost.url);
  const environment: Environment = {
    ...standInEnvironment({ telegram, kie, databaseUrl: database.url }),
    PORT: '0',
    WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
    WEBHOOK_SECRET_TOKEN: webhookSecret,
    HASH_SECRET: hashSecret,
    WELCOME_CREDIT: '100000',
    NODE_ENV: 'test',
  };
  return {
    telegram,
    kie,
    database,
    environment,
    fileHost,
    async proxies() {
      const proxies = await startProxies(environment);
      lifecycle.onStop('proxies', async () => proxies[Symbol.asyncDispose]());
      return proxies;
    },
    user: () => telegram.user({ languageCode: 'en' }),
    async [Symbol.asyncDispose]() {
      await lifecycle.stop();
      telegram.assertHealthy();
    },
  };
}

/** Starts the program and resolves once it takes updates. Rejects with what it printed when it ends before. */
export async function startProgram(environment: Environment): Promise<Program> {
  const program = runProgram(environment);
  const ended = program.exited.then(({ code, signal }) => {
    throw new Error(
      `The program ended with ${code ?? signal}:\n${program.output.join('\n')}\n${program.stderr}`,
    );
  });
  try {
    await Promise.race([program.waitForText('BOOT_OK'), ended]);
  } catch (error) {
    await program.stop();
    throw error;
  }
  return program;
}

/** Starts the program without waiting for anything. `stdout`: where its lines go; they are not read here then. */
export function runProgram(environment: Environment, stdout?: number): Program {
  const output: string[] = [];
  const lines: Line[] = [];
  const child = startProgramProcess({
    environment,
    ...(stdout === undefined ? {} : { stdout }),
    onLine(text) {
      output.push(text);
      if (environment.LOG_FORMAT !== 'kv') lines.push(JSON.parse(text));
    },
  });
  const { exited } = child;

  const program: Program = {
    pid: child.pid ?? 0,
    output,
    lines,
    get stderr() {
      return child.stderr;
    },
    waitForLine: fits => wait('a line', () => lines.find(fits)),
    waitForEvent: (...names) => wait(names.join(' or '), () => lines.find(line => names.includes(line.name))),
    waitForText: text => wait(text, () => output.find(line => line.includes(text))),
    cidOf: async updateId =>
      (
        await wait(`update ${updateId}`, () =>
          lines.findLast(line => line.name === 'UPDATE_RECEIVED' && line.update_id === updateId),
        )
      ).cid,
    chainOf: cid => lines.filter(line => line.cid === cid).map(line => line.name),
    signal: child.signal,
    exited,
    stop() {
      child.signal('SIGTERM');
      return exited;
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
    },
  };

  const wait = <T>(what: string, look: () => T | undefined): Promise<T> =>
    waitFor(what, look, () => `${output.join('\n')}\n${child.stderr}`, patienceMs);

  return program;
}
