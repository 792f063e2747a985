// BOT_MODE=polling: the same journeys, and an offset that never runs ahead of the inbox.
import { expect, test } from 'vitest';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { acceptedRun, outcomeOf, storyOf } from '../support/story.ts';
import { walkToConfirm } from '../support/walk.ts';

const polling = { environment: { BOT_MODE: 'polling' } };

test('a generation works from the first message to the picture', async () => {
  await using bot = await startBot(polling);
  const user = bot.user();
  await walkToConfirm(user);
  const story = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  expect(story.chain.slice(0, acceptedRun.length)).toEqual(acceptedRun);
  expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
  expect(bot.telegram.callCount('setWebhook')).toBe(0);
  expect(bot.telegram.calls('deleteWebhook')).toMatchObject([{ payload: { drop_pending_updates: false } }]);
});

test('there is no webhook to send updates to', async () => {
  await using bot = await startBot(polling);
  expect((await fetch(bot.webhookUrl(), { method: 'POST', body: '{"update_id":1}' })).status).toBe(404);
  expect(await (await fetch(`${bot.app.url()}/health`)).json()).toMatchObject({ bot_mode: 'polling' });
});

test('an update that could not be stored is not confirmed, and comes again', async () => {
  await using bot = await startBot(polling);
  await refuseUpdates(bot, 'true');
  const user = bot.user();
  const sent = user.start();
  await failedPoll(bot);
  const another = bot.user();
  const sentLater = another.start();
  expect(bot.telegram.webhookInfo.pending_update_count).toBe(2);

  await acceptUpdates(bot);
  await user.waitForMessage(/What shall we create/);
  await another.waitForMessage(/What shall we create/);
  await bot.telegram.idle();
  // A poll is in the journal once it has ended, and the last one is waiting.
  await bot.app.stop();
  expect(confirmedBelow(bot)).toBe(sentLater.updateId + 1);
  for (const update of [sent, sentLater]) await expectAcceptedOnce(bot, update);
  expect(user.messages()).toHaveLength(1);
});

test('of several updates the ones that were stored are not worked again with the one that was not', async () => {
  await using bot = await startBot(polling);
  const [first, unlucky, last] = [bot.user(), bot.user(), bot.user()];
  await refuseUpdates(bot, `new.lane = ${unlucky.chatId}`);
  const sent = [first.start(), unlucky.start(), last.start()];
  await first.waitForMessage(/What shall we create/);
  await last.waitForMessage(/What shall we create/);
  await failedPoll(bot);
  expect(bot.telegram.webhookInfo.pending_update_count).toBeGreaterThanOrEqual(2);
  expect(unlucky.messages()).toEqual([]);

  await acceptUpdates(bot);
  await unlucky.waitForMessage(/What shall we create/);
  await bot.telegram.idle();
  for (const update of sent) await expectAcceptedOnce(bot, update);
  for (const user of [first, unlucky, last]) expect(user.messages()).toHaveLength(1);
});

test('a poll that fails is logged, and followed by the next one', async () => {
  await using bot = await startBot(polling);
  const user = bot.user();
  bot.telegram.failNext({
    method: 'getUpdates',
    kind: 'error',
    code: 502,
    description: 'Bad Gateway',
    body: 'html',
  });
  await expectAcceptedOnce(bot, await started(bot, user));
  const sent = user.say('/help');
  await user.waitForMessage(/How it works/, { after: sent });
  await failedPoll(bot);
});

test('what was stored is confirmed when the bot stops', async () => {
  await using bot = await startBot(polling);
  const user = bot.user();
  const sent = await started(bot, user);
  await bot.app.stop();
  expect(confirmedBelow(bot)).toBe(sent.updateId + 1);
  expect(bot.telegram.isPolled).toBe(false);
  await bot.telegram.idle();
});

async function started(bot: BotUnderTest, user: ReturnType<BotUnderTest['user']>) {
  const sent = user.start();
  await user.waitForMessage(/What shall we create/);
  await storyOf(bot, sent);
  return sent;
}

/** The store refuses rows for which the SQL `condition` on `new` holds. */
async function refuseUpdates(bot: BotUnderTest, condition: string): Promise<void> {
  await bot.database.query(`
    create function refuse_update() returns trigger language plpgsql
    as $$ begin raise exception 'the store is broken'; end $$`);
  await bot.database.query(`
    create trigger refuse_update before insert on updates for each row when (${condition})
    execute function refuse_update()`);
}

async function acceptUpdates(bot: BotUnderTest): Promise<void> {
  await bot.database.query('drop function refuse_update cascade');
}

function failedPoll(bot: BotUnderTest): Promise<unknown> {
  return bot.waitForLine(line => line.name === 'SYSTEM_WARNING' && line.operation === 'getUpdates');
}

/** The highest offset that was asked for: everything below it is forgotten by Telegram. */
function confirmedBelow(bot: BotUnderTest): number {
  return Math.max(...bot.telegram.calls('getUpdates').map(({ payload }) => Number(payload.offset)));
}

async function expectAcceptedOnce(bot: BotUnderTest, update: Parameters<typeof outcomeOf>[1]): Promise<void> {
  expect(await outcomeOf(bot, update)).toEqual([
    { outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 },
  ]);
}
