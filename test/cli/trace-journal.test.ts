// `trt trace` as an operator runs it, over the journal that a running bot has written.
import { expect, onTestFinished, test } from 'vitest';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { journalOf } from '../support/journal-of.ts';
import { storyOf } from '../support/story.ts';
import { type CommandAnswer, trt } from '../support/trt.ts';
import { prompt, walkToConfirm } from '../support/walk.ts';

const trace = ({ database }: BotUnderTest, ...words: string[]): Promise<CommandAnswer> =>
  trt({ DATABASE_URL: database.url }, 'trace', ...words);

test('a generation is told from the tap to the picture: the verdict, every event, the spans', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await journalOf(bot, cid);

  const { code, output, complaint } = await trace(bot, cid);
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
  expect(output).toMatch(new RegExp(`^cid ${cid}  trace ${cid}[0-9a-f]{24}  \\d{4}-.*Z$`, 'm'));
  expect(output).toContain('the user tapped «🚀 Run» on the screen «Check and run»');
  expect(output).toContain('delivered, confidence high');
  for (const name of bot.chainOf(cid))
    expect(output).toMatch(new RegExp(`^\\+\\d+ +[A-Z]+ +${name}\\b`, 'm'));
  expect(output).toMatch(/^ +dispatch update +\d+ +[\d.]+ +█/m);
  expect(output).not.toContain('not sampled');
  expect(output).not.toContain(prompt);
  expect(output).not.toContain(bot.database.url);
});

test('what the process told around that time stands apart from the chain', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const { cid } = await storyOf(bot, user.start());
  await journalOf(bot, cid);
  await journalOf(bot, (await bot.waitForLine(({ name }) => name === 'BOOT_OK')).cid);
  // Another hour is another matter. A later one: of the day before there is no partition.
  await bot.database.query(
    `insert into journal select (j).* from (
       select jsonb_populate_record(journal, jsonb_build_object('at', at + interval '1 hour',
         'lines', replace(lines, '"LOCK_ACQUIRED"', '"LOCK_LOST"'))) as j
       from journal where lines like '%"LOCK_ACQUIRED"%') as earlier`,
  );

  const { output } = await trace(bot, cid);
  const [own = '', nearby = ''] = output.split(/^nearby: .*$/m);
  expect(own).toContain('done, confidence high');
  expect(own).not.toContain('LOCK_ACQUIRED');
  expect(nearby).toMatch(/^~ -\d+ +INFO +LOCK_ACQUIRED +instance_id=\S+ lock_epoch=1$/m);
  expect(nearby).toMatch(/^~ -\d+ +INFO +BOOT_OK +/m);
  expect(nearby).not.toContain('LOCK_LOST');
  const { nearby: told } = JSON.parse((await trace(bot, cid, '--json')).output);
  expect(told.map(({ name }: { name: string }) => name).toSorted()).toEqual(['BOOT_OK', 'LOCK_ACQUIRED']);
});

test('a refused tap is told with its reason, in Russian where asked, and to a machine', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const { cid } = await storyOf(bot, user.rawCallback('test:unknown'));
  await journalOf(bot, cid);

  const { output } = await trace(bot, cid.toUpperCase(), '--locale', 'ru');
  expect(output).toContain('пользователь нажал кнопку');
  expect(output).toContain('foreign_button');
  const answer = await trace(bot, cid, '--json');
  const told = JSON.parse(answer.output);
  expect(told).toMatchObject({ cid, sampled: true, verdict: { cause: 'foreign_button' } });
  expect(told.events.map(({ name }: { name: string }) => name)).toEqual(bot.chainOf(cid));
  expect(told.spans.map(({ name }: { name: string }) => name)).toContain('dispatch update');
});

test('a duplicate is followed to the update that it repeats', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  bot.telegram.duplicateNextUpdate();
  const cid = await bot.cidOf(user.click('❓ Help').updateId);
  const duplicate = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
  await journalOf(bot, cid);
  await journalOf(bot, duplicate.cid);

  const { output } = await trace(bot, duplicate.cid);
  expect(output.match(/^cid \w{8}/gm)).toEqual([`cid ${duplicate.cid}`, `cid ${cid}`]);
  expect(output).toContain('done, confidence high');
});

test('a trace that was not sampled is complete all the same, and is said to be missing in Jaeger', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const { cid } = await storyOf(bot, user.start());
  await journalOf(bot, cid);
  // As the lines are when a sampler has left the trace out.
  await bot.database.query(`update journal set lines = replace(lines, '"trace_flags":1', '"trace_flags":0')`);

  const { output } = await trace(bot, cid);
  expect(output).toContain('This trace was not sampled: Jaeger does not have it.');
  for (const name of bot.chainOf(cid)) expect(output).toContain(name);
  expect(JSON.parse((await trace(bot, cid, '--json')).output)).toMatchObject({ sampled: false });
});

test('two traces of one cid are listed, and the trace id tells them apart', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const { cid } = await storyOf(bot, user.start());
  const [row] = await journalOf(bot, cid);
  const traceId = row?.traceId ?? '';
  const twin = `${cid}${'b'.repeat(24)}`;
  // A day later, in its rows and in its lines: of what is near in time either could be the newest.
  await bot.database.query(
    `insert into journal select (j).* from (
       select jsonb_populate_record(journal, jsonb_build_object('trace_id', $2::text,
         'at', at + interval '1 day',
         'lines', regexp_replace(replace(lines, $1, $2), '"ts":"[0-9-]+T',
           '"ts":"' || to_char(at at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD') || 'T', 'g'))) as j
       from journal where trace_id = $1) as twins`,
    [traceId, twin],
  );

  const { output } = await trace(bot, cid);
  expect(output).toMatch(/^when +cid +events +trace_id$/m);
  expect(output.match(/^cid \w{8} {2}trace \w+/gm)).toEqual([
    `cid ${cid}  trace ${twin}`,
    `cid ${cid}  trace ${traceId}`,
  ]);
  expect((await trace(bot, twin)).output.match(/^cid .*$/gm)).toEqual([expect.stringContaining(twin)]);
});

test('what the journal does not know, and a database without one, are said so', async () => {
  const open = async (empty: boolean): Promise<string> => {
    const database = await createTestDatabase({ empty });
    onTestFinished(() => database.drop());
    return database.url;
  };
  const unknown = await trt({ DATABASE_URL: await open(false) }, 'trace', 'a1b2c3d4');
  expect(unknown).toMatchObject({ code: 1, output: '' });
  expect(unknown.complaint).toContain('Nothing is known of a1b2c3d4');
  // What waits for a journal that is away has arrived all the same.
  expect(unknown.complaint).toMatch(/write the journal.*trt explain/);
  const early = await trt({ DATABASE_URL: await open(true) }, 'trace', 'a1b2c3d4');
  expect(early).toMatchObject({ code: 1, output: '' });
  expect(early.complaint).toContain('no tables of the bot yet');
});

test.each([[[]], [['xyz']], [['a1b2c3d4', '--locale', 'de']]])('%j asks no database', async words => {
  expect(await trt({}, 'trace', ...words)).toMatchObject({ code: 2, output: '' });
});
