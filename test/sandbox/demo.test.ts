// The demo as a visitor runs it, in a process of its own.
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import { startCommand } from '../support/command.ts';

const deadlineMs = 60_000;

const startDemo = (options: readonly string[], environment?: Record<string, string>) =>
  startCommand('demo', options, environment);

test(
  'one command shows the conversation beside the chain of each cid, and leaves nothing behind',
  async () => {
    await using demo = await startDemo(['--once']);
    expect(await demo.ended(), demo.output()).toEqual({ code: 0, signal: null });

    const output = demo.output();
    expect(output).toContain('24 updates, 24 chains complete');
    expect(new Set(output.match(/│ cid=[0-9a-f]{8}$/gm)).size).toBe(24);
    for (const said of [
      '“/start”',
      '[ 🎨 Pictures ]',
      '[ Z-Image · from ₽0.80 ]',
      'Price: ₽0.80. Your balance: ₽1,000.',
      'Too short',
      'picture, 512 × 288',
      'Your money is back on your balance.',
      '[ 🔁 Try again ]',
      'sends ▓▒░ a picture ░▒▓',
      '▓▒░ film ░▒▓',
      'Balance: ₽968.40',
    ])
      expect(output).toContain(said);
    for (const expected of [
      /\+\d+ ms CALLBACK_REJECTED +STATE_MISMATCH/,
      /\+\d+ ms PARAM_VALIDATION_FAILED +VALIDATION_FAILED/,
      /\+\d+ ms TASK_FAILED +DOWNSTREAM_ERROR/,
      /\+\d+ ms RESULT_DELIVERED +result/,
      /\+\d+ ms RESULT_DELIVERED +failure/,
      /\+\d+ ms RESULT_DELIVERED +original/,
      /\+\d+ ms BALANCE_TOPUP .*₽1,000, welcome/,
      /\+\d+ ms BALANCE_HOLD +₽0\.80 reserved/,
      /\+\d+ ms BALANCE_CHARGE +₽30 paid/,
      /\+\d+ ms BALANCE_RELEASE +₽0\.80 back/,
    ])
      expect(output).toMatch(expected);
    // The code that the user reads is the cid that finds the chain.
    const reference = /Reference: ([0-9a-f]{8})/.exec(output)?.[1];
    expect(output).toContain(`│ cid=${reference}\n`);
    expect(output).toContain('docker compose up -d otel-collector jaeger');
    expect(output.split('\n').filter(line => line.length > 120)).toEqual([]);
    expect(await demo.remains()).toEqual([]);
    expect(demo.hasProcesses()).toBe(false);
  },
  deadlineMs,
);

test(
  'the settings of a real deployment around it change nothing, and --verbose prints the lines of the bot',
  async () => {
    await using demo = await startDemo(['--once', '--verbose'], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      PGHOST: '127.0.0.1',
      PGPORT: '1',
      PGSSLMODE: 'require',
      BOT_MODE: 'polling',
      PORT: 'no port',
      LOG_FORMAT: 'kv',
      LOG_LEVEL: 'CRITICAL',
      KIE_API_URL: 'http://127.0.0.1:1',
      USD_RUB_RATE: 'no rate',
      WELCOME_CREDIT: '1',
      KIE_UPLOAD_URL: 'http://127.0.0.1:1',
      KIE_API_KEY: 'canary-kie-key',
      NODE_ENV: 'production',
    });
    expect(await demo.ended(), demo.output()).toEqual({ code: 0, signal: null });
    const lines = demo
      .output()
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line));
    expect(lines.filter(({ name }) => name === 'DISPATCH_OK')).toHaveLength(24);
    expect(demo.output()).not.toContain('canary');
  },
  deadlineMs,
);

test(
  'a real token is refused in one sentence that does not hold it, before anything is started',
  async () => {
    const token = '123456789:canary-token-of-a-real-bot-000000000';
    await using demo = await startDemo(['--once'], { TELEGRAM_BOT_TOKEN: token });
    expect(await demo.ended()).toEqual({ code: 1, signal: null });
    expect(demo.output()).toMatch(/^The demo never uses a real bot, but TELEGRAM_BOT_TOKEN is set: .*\n$/);
    expect(demo.output()).not.toContain('canary');
    expect(await demo.remains()).toEqual([]);
  },
  deadlineMs,
);

test(
  'a Bot API that is not on this machine is refused',
  async () => {
    await using demo = await startDemo(['--once'], { TELEGRAM_API_ROOT: 'https://api.telegram.org' });
    expect(await demo.ended()).toEqual({ code: 1, signal: null });
    expect(demo.output()).toMatch(/^The demo never leaves this machine, but TELEGRAM_API_ROOT .*\n$/);
  },
  deadlineMs,
);

test(
  'without --once a person can go on by the chat page, until Ctrl-C stops everything',
  async () => {
    await using demo = await startDemo([]);
    const url = await demo.printed(/Try it yourself (http:\/\/127\.0\.0\.1:\d+)/);
    expect(await (await fetch(url)).text()).toContain('<title>');

    const changes = await fetch(`${url}/changes`);
    const page = readChanges(changes);
    const act = (action: object) =>
      fetch(`${url}/actions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(action),
      });
    expect((await act({ kind: 'unknown-button' })).status).toBe(409);
    expect((await act({ kind: 'say', text: '/start' })).status).toBe(204);
    await page.until(state => state.includes('What shall we create?') && state.includes('DISPATCH_OK'));
    expect((await act({ kind: 'unknown-button' })).status).toBe(204);
    await page.until(
      state => state.includes('UNKNOWN_CALLBACK') && state.includes('I do not know this button'),
    );

    const picture = await fetch(`${url}/pictures`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: createPng(40, 30, [200, 30, 30]),
    });
    expect(picture.status).toBe(204);
    await page.until(
      state => state.includes('sends a picture') && state.includes('To begin, choose a section'),
    );

    demo.pressCtrlC();
    expect(await demo.ended(), demo.output()).toEqual({ code: null, signal: 'SIGINT' });
    expect(await demo.remains()).toEqual([]);
    expect(demo.hasProcesses()).toBe(false);
  },
  deadlineMs,
);

/** What the page was sent last, as text. */
function readChanges(response: Response): { until(fits: (state: string) => boolean): Promise<void> } {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = '';
  return {
    async until(fits) {
      while (!fits(received)) {
        const next = await reader?.read();
        if (!next || next.done) throw new Error(`The page got no more than:\n${received}`);
        received += next.value;
      }
    },
  };
}
