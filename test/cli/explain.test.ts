// `trt explain`: why, from the lines of a log alone.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compiledCode } from '../../sandbox/program.ts';
import { startBot } from '../support/bot.ts';
import { storyOf } from '../support/story.ts';
import { type CommandAnswer, trt, trtWith } from '../support/trt.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A bot that has refused a tap and has met an update twice; its log, and the cids. */
async function loggedSession(format: 'json' | 'kv') {
  await using bot = await startBot();
  const user = bot.user();
  const { cid: start } = await storyOf(bot, user.start());
  const { cid: tap } = await storyOf(bot, user.rawCallback('test:unknown'));
  bot.telegram.duplicateNextUpdate();
  user.say('/help');
  const { cid: duplicate, original_cid } = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
  const twice = String(original_cid);
  await bot.waitForEvent(twice, 'DISPATCH_OK');
  const lines = format === 'json' ? bot.output : bot.output.map(line => keyValue(JSON.parse(line)));
  return { log: ['a line of the platform', ...lines].join('\n'), start, tap, twice, duplicate };
}

/** As LOG_FORMAT=kv writes it. */
function keyValue(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${name}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join(' ');
}

test.each(['json', 'kv'] as const)('each trace of a log in %s gets one line, newest first', async format => {
  const { log, start, tap, twice, duplicate } = await loggedSession(format);
  const { code, output, complaint } = await trtWith({ input: log }, 'explain');
  expect(code).toBe(0);
  expect(complaint).toBe('1 lines were not of the bot and were left out.\n');
  const lines = output.trimEnd().split('\n');
  const lineOf = (cid: string): string => lines.find(line => line.startsWith(`${cid} `)) ?? '';
  expect(lineOf(start)).toContain('[done, high]');
  expect(lineOf(tap)).toMatch(
    /the user tapped a button on the screen «Main menu», .*\[foreign_button, high\]$/,
  );
  expect(lineOf(duplicate)).toContain(`the cid ${twice} shows what became of it`);
  expect(lines.findIndex(line => line.startsWith(tap))).toBeLessThan(
    lines.findIndex(line => line.startsWith(start)),
  );
  expect(output).not.toContain('\u001b');
});

test('one cid is shown in full, in Russian where that is asked for', async () => {
  const { log, tap } = await loggedSession('json');
  const { code, output } = await trtWith({ input: log }, 'explain', '--cid', tap, '--locale', 'ru');
  expect(code).toBe(0);
  expect(output).toContain(`cid ${tap}  trace ${tap}`);
  expect(output).toContain('такой кнопки у бота нет');
  expect(output).toMatch(/^\+\d+ +WARNING +CALLBACK_REJECTED +.*reason_code=UNKNOWN_CALLBACK/m);
  expect(output).not.toContain('DUPLICATE');
  expect(output).toMatch(/^~ -\d+ +INFO +LOCK_ACQUIRED +instance_id=/m);
});

test('a duplicate is followed to the update that it repeats', async () => {
  const { log, twice, duplicate } = await loggedSession('json');
  const { output } = await trtWith({ input: log }, 'explain', '--cid', duplicate);
  expect(output).toContain(`cid ${duplicate}  `);
  expect(output).toContain(`cid ${twice}  `);
});

test('JSON has the verdict and the whole lines', async () => {
  const { log, tap } = await loggedSession('json');
  const { output } = await trtWith({ input: log }, 'explain', '--cid', tap.toUpperCase(), '--json');
  expect(JSON.parse(output)).toMatchObject({
    cid: tap,
    verdict: { cause: 'foreign_button', confidence: 'high', missing: [] },
    events: expect.arrayContaining([expect.objectContaining({ name: 'CALLBACK_REJECTED', cid: tap })]),
  });
});

test('a terminal gets colours', async () => {
  const { log } = await loggedSession('json');
  const { output } = await trtWith({ input: log, hasColours: true }, 'explain');
  expect(output).toContain('\u001b[');
});

test.each([
  ['nothing of the bot', [], 'There is no line of the bot.'],
  ['another cid', ['--cid', '0af76519'], 'No line has the cid 0af76519.'],
])('a log with %s is told to be so', async (_what, words, complaint) => {
  const answer = await trtWith({ input: 'hello\n' }, 'explain', ...words);
  expect(answer).toMatchObject({ code: 1, output: '' });
  expect(answer.complaint).toContain(complaint);
});

test.each([[['--cid', 'xyz']], [['--locale', 'de']], [['--nosuch']]])('%j makes no sense', async words => {
  const { code, complaint } = await trt({}, 'explain', ...words);
  expect(code).toBe(2);
  expect(complaint).toContain('trt explain');
});

const redirected: readonly (readonly [string, (log: string) => Buffer])[] = [
  ['as it is', log => Buffer.from(log)],
  ['in UTF-8 with a mark and CRLF', log => Buffer.from(`\ufeff${crlf(log)}`)],
  ['in UTF-16 by PowerShell', log => Buffer.from(`\ufeff${crlf(log)}`, 'utf16le')],
  ['in UTF-16 without a mark', log => Buffer.from(log, 'utf16le')],
  ['in UTF-16 of the other order', log => Buffer.from(`\ufeff${log}`, 'utf16le').swap16()],
  ['compressed', log => gzipSync(log)],
  ['compressed in two parts', log => Buffer.concat(halves(log).map(half => gzipSync(half)))],
  [
    'compressed and cut off',
    log => gzipSync(`${log}\n${randomBytes(500_000).toString('hex')}`).subarray(0, -200_000),
  ],
];

test('the command reads its standard input, however it was redirected', async () => {
  const { log, tap } = await loggedSession('json');
  for (const [what, encode] of redirected) {
    const { code, output } = await explainBytes(encode(log), '--cid', tap);
    expect(output, what).toContain('foreign_button, confidence high');
    expect(output, what).toContain('«Main menu»');
    expect(code, what).toBe(0);
  }
});

test('input that looks compressed and is damaged is told to be so', async () => {
  const { code, complaint } = await explainBytes(
    Buffer.concat([gzipSync('a').subarray(0, 12), Buffer.alloc(99, 7)]),
  );
  expect(code).toBe(2);
  expect(complaint).toMatch(/looks like gzip and is damaged \(Z_/);
});

function crlf(log: string): string {
  return log.replaceAll('\n', '\r\n');
}

function halves(log: string): readonly string[] {
  const middle = Math.floor(log.length / 2);
  return [log.slice(0, middle), log.slice(middle)];
}

/** In a process of its own. */
function explainBytes(input: Buffer, ...words: string[]): Promise<CommandAnswer> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      ['src/cli/main.ts', 'explain', ...words],
      { cwd: root, env: { PATH: process.env.PATH, ...compiledCode } },
      (_error, output, complaint) => resolve({ code: child.exitCode ?? -1, output, complaint }),
    );
    child.stdin?.end(input);
  });
}
