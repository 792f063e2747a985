// Start and stop as a process manager does it: npm between it and Node, a database and a Telegram that come later, or
// never, or refuse. Nothing is left running, nothing gives up too early, and what is wrong is called by its name.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import { startHttpProxy, startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { type Line, waitFor } from '../support/bot.ts';
import { testLimitMs } from '../support/patience.ts';
import { type Program, runProgram, startProgram, startSurroundings } from '../support/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each([
  ['SIGTERM to npm alone', 'SIGTERM', 'npm', 'sh'],
  ['SIGTERM to npm alone', 'SIGTERM', 'npm', 'bash'],
  ['SIGINT to everything at the terminal', 'SIGINT', 'group', 'sh'],
] as const)(
  '%s ends what `npm start` runs, in order (%s, %s, %s)',
  async (_case, signal, to, shell) => {
    await using surroundings = await startSurroundings();
    const port = String(await findFreePort());
    const url = `http://127.0.0.1:${port}`;
    const npm = spawn('npm', ['start', `--script-shell=${shell}`], {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...surroundings.environment,
        PORT: port,
        WEBHOOK_BASE_URL: url,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid = 0 } = npm;
    onTestFinished(() => void endGroup(pid));
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await waitFor(
      'BOOT_OK',
      () => output.includes('BOOT_OK') || undefined,
      () => output,
    );

    process.kill(to === 'group' ? -pid : pid, signal);
    // Its last line, and then nobody of the group is left and the port is free.
    await waitFor(
      'SHUTDOWN',
      () => output.includes('"name":"SHUTDOWN"') || undefined,
      () => output,
    );
    await waitFor(
      'the end of all',
      () => !hasProcesses(pid) || undefined,
      () => output,
    );
    expect(output).toContain('LOCK_RELEASED');
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  },
  testLimitMs,
);

test(
  'a database that comes later is waited for: the process lives, is not ready, and says what it waits for',
  async () => {
    await using surroundings = await startSurroundings();
    await using database = await startPostgresProxy(surroundings.database.url);
    database.refuse();
    const port = await findFreePort();
    await using program = runProgram({
      ...surroundings.environment,
      DATABASE_URL: database.url,
      PORT: String(port),
      WEBHOOK_BASE_URL: `http://127.0.0.1:${port}`,
    });
    const waiting = await program.waitForLine(isWaiting);
    expect(waiting.error_message).toContain(`the database at 127.0.0.1:${database.port} (DATABASE_URL)`);
    expect(await Promise.all(['livez', 'readyz', 'health', 'webhook'].map(statusAt(port)))).toEqual([
      200, 503, 503, 503,
    ]);
    expect(await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()).toMatchObject({
      reason: 'starting',
    });
    database.setPassage({ kind: 'pass' }, { to: 'new' });
    const ready = await program.waitForEvent('BOOT_OK');
    expect(ready).toMatchObject({
      bot_username: expect.stringMatching(/^\w+$/),
      port,
      webhook_address: `http://127.0.0.1:${port}/webhook`,
      release: expect.any(String),
    });
    expect(await statusAt(port)('readyz')).toBe(200);
  },
  testLimitMs,
);

test(
  'Telegram that comes later is waited for',
  async () => {
    await using surroundings = await startSurroundings();
    await using telegram = await startHttpProxy(surroundings.telegram.apiRoot);
    telegram.refuse();
    await using program = runProgram({ ...surroundings.environment, TELEGRAM_API_ROOT: telegram.url });
    const waiting = await program.waitForLine(isWaiting);
    expect(waiting.error_message).toContain(
      `Telegram at 127.0.0.1:${telegram.port}: Telegram could not be reached (ECONNRESET)`,
    );
    telegram.setPassage({ kind: 'pass' }, { to: 'new' });
    await program.waitForEvent('BOOT_OK');
  },
  testLimitMs,
);

test(
  'Telegram that takes the question and never answers is logged after the first of them',
  async () => {
    await using surroundings = await startSurroundings();
    const { telegram } = surroundings;
    telegram.failNext({ kind: 'hang', method: 'getMe', times: 100 });
    await using program = runProgram(surroundings.environment);
    const waiting = await program.waitForLine(isWaiting);
    expect(waiting.error_message).toContain('Telegram did not answer in time');
    // A call is tried three times where nothing limits it.
    expect(telegram.callCount('getMe')).toBeLessThan(3);
  },
  testLimitMs,
);

test(
  'what never comes ends the start when its time is over, with host and port',
  async () => {
    await using surroundings = await startSurroundings();
    const port = await findFreePort();
    await using program = runProgram({
      ...surroundings.environment,
      DATABASE_URL: `postgres://trt:some-password@127.0.0.1:${port}/trt`,
      BOOT_TIMEOUT_SECONDS: '1',
    });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines.filter(isWaiting).length).toBeGreaterThan(1);
    expect(bootFailure(program)).toMatchObject({
      error_type: 'TIMEOUT',
      error_message: expect.stringMatching(
        new RegExp(`^The database at 127\\.0\\.0\\.1:${port} \\(DATABASE_URL\\) did not answer`),
      ),
    });
    expect(program.output.join('\n')).not.toContain('some-password');
  },
  testLimitMs,
);

test.each([
  ['a token that is nobody’s', 'TELEGRAM_BOT_TOKEN', { TELEGRAM_BOT_TOKEN: '1234:wrong' }],
  ['a wrong password', 'DATABASE_URL', { DATABASE_URL: (url: string) => url.replace(/:[^:@]+@/, ':wrong@') }],
  [
    'a role that is unknown',
    'DATABASE_URL',
    { DATABASE_URL: (url: string) => url.replace(/\/\/[^:]+:/, '//nobody:') },
  ],
  [
    'a database that is unknown',
    'LOCK_DATABASE_URL',
    { LOCK_DATABASE_URL: (url: string) => url.replace(/\/\w+\?/, '/nowhere?') },
  ],
  ['a URL that cannot be read', 'DATABASE_URL', { DATABASE_URL: 'postgres://trt:a/b?c@host:port/trt' }],
  ['a host that is not ours', 'HOST', { HOST: '192.0.2.1' }],
] as const)(
  '%s is refused at once, by the name of what to correct',
  async (_case, variable, replaced) => {
    await using surroundings = await startSurroundings();
    const { environment } = surroundings;
    const values = Object.entries(replaced).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value(environment.DATABASE_URL ?? ''),
    ]);
    await using program = runProgram({
      ...environment,
      ...Object.fromEntries(values),
      BOOT_TIMEOUT_SECONDS: '3600',
    });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines.filter(isWaiting)).toEqual([]);
    expect(bootFailure(program)).toMatchObject({
      error_type: 'CONFIG_INVALID',
      error_message: expect.stringMatching(new RegExp(`\\b${variable}\\b`)),
    });
  },
  testLimitMs,
);

test(
  'a port that is taken, and an address that Telegram refuses, are refused by their names',
  async () => {
    await using surroundings = await startSurroundings();
    await using first = await startProgram(surroundings.environment);
    const { port } = await first.waitForEvent('BOOT_OK');
    await using second = runProgram({ ...surroundings.environment, PORT: String(port) });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(bootFailure(second)?.error_message).toContain(`Correct PORT: ${port} is in use`);
    await first.stop();

    surroundings.telegram.failNext({
      kind: 'error',
      method: 'setWebhook',
      code: 400,
      description: 'Bad Request: bad webhook',
    });
    await using third = runProgram(surroundings.environment);
    expect(await third.exited).toEqual({ code: 1, signal: null });
    expect(bootFailure(third)?.error_message).toContain('Correct WEBHOOK_BASE_URL');
  },
  testLimitMs,
);

test(
  'SIGTERM while something is waited for ends the start, which is no failure',
  async () => {
    await using surroundings = await startSurroundings();
    const port = await findFreePort();
    await using program = runProgram({
      ...surroundings.environment,
      DATABASE_URL: `postgres://trt:some-password@127.0.0.1:${port}/trt`,
      BOOT_TIMEOUT_SECONDS: '3600',
    });
    await program.waitForLine(isWaiting);
    expect(await program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(bootFailure(program)).toBeUndefined();
    expect(program.lines.at(-1)?.name).toBe('SHUTDOWN');
  },
  testLimitMs,
);

test(
  'a stop in which parts hang ends in time, says which, and that it failed; what was emitted before is in the journal',
  async () => {
    await using surroundings = await startSurroundings();
    await using database = await startPostgresProxy(surroundings.database.url);
    await using program = await startProgram({
      ...surroundings.environment,
      DATABASE_URL: database.url,
      LOCK_DATABASE_URL: surroundings.database.url,
      SHUTDOWN_GRACE_SECONDS: '6',
    });
    const user = surroundings.user();
    surroundings.telegram.failNext({ kind: 'hang', method: 'sendMessage', chatId: user.chatId });
    user.start();
    await program.waitForEvent('DISPATCH_START');
    database.setPassage({ kind: 'mute' });
    const stoppedAt = performance.now();
    expect(await program.stop()).toEqual({ code: 1, signal: null });
    expect(performance.now() - stoppedAt).toBeLessThan(20_000);
    const shutdown = program.lines.findLast(({ name }) => name === 'SHUTDOWN');
    expect(shutdown).toMatchObject({
      operation: 'SIGTERM',
      error_type: 'TIMEOUT',
      error_message: expect.stringContaining('Stopping workers failed: It has not ended within'),
    });
    const rows = await surroundings.database.query<{ lines: string }>('select lines from journal');
    expect(rows.map(({ lines }) => lines).join('\n')).toContain('"name":"SHUTDOWN"');
  },
  testLimitMs,
);

test(
  'a KIE_API_KEY that is refused is a warning, and the bot starts',
  async () => {
    await using surroundings = await startSurroundings();
    await using program = await startProgram({ ...surroundings.environment, KIE_API_KEY: 'wrong' });
    expect(await program.waitForLine(line => line.operation === 'check KIE_API_KEY')).toMatchObject({
      name: 'SYSTEM_WARNING',
      error_type: 'KIE_REFUSED',
      error_message: expect.stringMatching(
        /^Look at KIE_API_KEY .* 401: .*\. Everything but generating works$/,
      ),
    });
    await using right = await startProgram({ ...surroundings.environment, INSTANCE_MODE: 'single' });
    await right.waitForEvent('BOOT_OK');
    expect(right.lines.filter(line => line.operation === 'check KIE_API_KEY')).toEqual([]);
  },
  testLimitMs,
);

test(
  'on a terminal errors of configuration are lines to read, each problem on its own',
  async () => {
    await using surroundings = await startSurroundings();
    const { HASH_SECRET: _left, ...environment } = surroundings.environment;
    const main = `${process.execPath} --import ./src/otel/register.ts src/main.ts`;
    // `script` gives it a terminal.
    const ended = spawnSync('script', ['-qec', main, '/dev/null'], {
      cwd: root,
      env: { PATH: process.env.PATH, ...environment, PORT: 'none' },
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(ended.stdout.replaceAll('\r', '').split('\n')).toEqual([
      'The bot does not start. The configuration is not usable:',
      '  PORT must be a port number',
      expect.stringMatching(/^ {2}HASH_SECRET is required: /),
      '',
    ]);
    expect(ended.status).toBe(1);
  },
  testLimitMs,
);

const isWaiting = (line: Line): boolean => line.name === 'SYSTEM_WARNING' && line.operation === 'start';
const bootFailure = ({ lines }: Program): Line | undefined => lines.find(({ name }) => name === 'BOOT_FAIL');
const statusAt =
  (port: number) =>
  async (route: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/${route}`)).status;

function hasProcesses(group: number): boolean {
  return endGroup(group, 0);
}

/** False when nobody of the group is left. */
function endGroup(group: number, signal: NodeJS.Signals | 0 = 'SIGKILL'): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
