import { expect, test } from 'vitest';
import { startBot } from '../support/bot.ts';
import { walkToConfirm } from '../support/walk.ts';

test('a user walks from /start to the picture, and each tap is one chain under one cid', async () => {
  await using bot = await startBot();
  const user = bot.user();

  await walkToConfirm(user);
  const click = user.click('🚀 Run');
  await user.waitForMessage(/is ready, see below/);
  const cid = await bot.cidOf(click.updateId);
  await bot.waitForEvent(cid, 'RESULT_DELIVERED');
  expect(bot.chainOf(cid)).toEqual([]);
});
