// What follows a tap: erasing and copying a user's data, and what keeps them from it.
import type { SandboxUser } from '../../../sandbox/telegram/index.ts';
import type { BotUnderTest } from '../../support/bot.ts';
import { cidAfter, type Group } from './scenario.ts';

export const followUpFaults: Group = {
  name: 'what follows a tap',
  options: {},
  scenarios: [
    {
      name: 'a copy of the data that Telegram refuses',
      cause: 'copy_unsent',
      async provoke(bot) {
        const user = await userAtPrivacy(bot);
        const description = 'Bad Request: file is broken';
        bot.telegram.failNext({ kind: 'error', code: 400, description, method: 'sendDocument' });
        return cidAfter(bot, user.click('📦 Get a copy'), 'USER_EXPORTED');
      },
    },
    {
      name: 'a copy of the data',
      cause: 'exported',
      provoke: async bot => cidAfter(bot, (await userAtPrivacy(bot)).click('📦 Get a copy'), 'USER_EXPORTED'),
    },
    {
      name: 'an erasure',
      cause: 'erased',
      provoke: async bot => cidAfter(bot, await eraseBy(await userAtPrivacy(bot)), 'USER_ERASED'),
    },
    {
      name: 'an erasure that a table refuses',
      cause: 'follow_up_failed',
      async provoke(bot) {
        const user = await userAtPrivacy(bot);
        await bot.database.query('alter table erased rename to erased_away');
        const cid = await cidAfter(bot, await eraseBy(user), 'SYSTEM_WARNING');
        await bot.database.query('alter table erased_away rename to erased');
        return cid;
      },
    },
  ],
};

async function userAtPrivacy(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  return user;
}

async function eraseBy(user: SandboxUser) {
  await user.waitForMessage(/Erase everything/, { after: user.click('🗑 Erase') });
  return user.click('🗑 Yes, erase everything');
}
