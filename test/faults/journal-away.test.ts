// A journal whose table somebody has taken away, or whose disk is full: the bot works on, the journal heals by itself,
// nothing of what it was given is lost within its bounds, and the lines say both.
import { expect, test } from 'vitest';
import { startBot } from '../support/bot.ts';
import { inJournal, journaled } from '../support/journaled.ts';
import { outcomeOf } from '../support/story.ts';

test.each([
  ['taken out', (today: string) => `alter table journal detach partition ${today}`],
  ['dropped', (today: string) => `drop table ${today}`],
  [
    'taken out and changed',
    (today: string) =>
      `alter table journal detach partition ${today}; alter table ${today} drop column lines`,
  ],
])('a partition of today that was %s is there again before anybody asks', async (_what, attack) => {
  await using bot = await startBot();
  const user = bot.user();
  await journaled(bot, user.start());
  const [row] = await bot.database.query<{ today: string }>(
    'select tableoid::regclass::text as today from journal order by at desc limit 1',
  );
  await bot.database.query(attack(row?.today ?? expect.fail('the journal is empty')));
  const taps = [user.say('/help'), user.say('/balance'), user.rawCallback('v1:nonsense')];
  for (const tap of taps) {
    expect(await outcomeOf(bot, tap)).toHaveLength(1);
    await journaled(bot, tap);
  }
});

test('while the disk of the journal is full the bot works, and afterwards the journal has all of it and says so', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await journaled(bot, user.start());
  await bot.database.query(`
    create function full_disk() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`);
  await bot.database.query(
    'create trigger full_disk before insert on journal for each row execute function full_disk()',
  );
  const taps = [user.say('/help'), user.rawCallback('v1:nonsense')];
  for (const tap of taps) expect(await outcomeOf(bot, tap)).toHaveLength(1);
  const warned = await bot.waitForLine(({ operation }) => operation === 'write the journal');
  expect(warned.error_message).toMatch(
    / \(DATABASE_URL\): 0 rows .* dropped, \d+ wait to be written: could not extend file$/,
  );
  await bot.database.query('drop function full_disk cascade');
  for (const tap of taps) await journaled(bot, tap);
  const back = await bot.waitForLine(({ error_message: message }) =>
    /is written again$/.test(String(message)),
  );
  expect(back.error_message).toMatch(/: 0 rows .* dropped/);
  await inJournal(bot, back.cid, 'SYSTEM_WARNING');
});
