// `trt explain`: why, from the lines of a log alone.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startBot } from '../support/bot.ts';
import { storyOf } from '../support/story.ts';
import { trt, trtWith } from '../support/trt.ts';

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
  expect(lineOf(duplicate)).toContain(`what became of it stands under the cid ${twice}`);
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

test('the command reads its standard input', async () => {
  const { log, tap } = await loggedSession('json');
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['src/cli/main.ts', 'explain', '--cid', tap],
      { cwd: root, env: { PATH: process.env.PATH } },
      (error, printed) => (error ? reject(error) : resolve(printed)),
    );
    child.stdin?.end(log);
  });
  expect(output).toContain('foreign_button, confidence high');
});
