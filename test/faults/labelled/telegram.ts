// Faults of Telegram while a screen is shown, and defects of ours in a handler.
import type { Cause } from '../../../src/diagnosis/causes.ts';
import { handlers } from '../../../src/handlers/index.ts';
import { cidAtEnd, type Group, type Scenario, userAtMenu } from './scenario.ts';

type Fault = Parameters<Parameters<Scenario['provoke']>[0]['telegram']['failNext']>[0];

/** Longer than a scenario lasts: what is owed is tried again meanwhile. */
const forLong = 40;

export const telegramFaults: Group = {
  name: 'Telegram and handlers',
  options: {
    environment: { UPDATE_DEADLINE_SECONDS: '3' },
    overrides: {
      handlers: {
        ...handlers,
        buttons: {
          ...handlers.buttons,
          search: () => Promise.reject(new TypeError('the search is broken')),
          best: () => Promise.reject(Object.assign(new Error('no such table'), { code: '42P01' })),
        },
      },
    },
  },
  scenarios: [
    commandFault('a user who has blocked the bot', 'user_blocked_bot', {
      kind: 'error',
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
    }),
    commandFault('a deleted account', 'user_unreachable', {
      kind: 'error',
      code: 403,
      description: 'Forbidden: user is deactivated',
    }),
    commandFault('a screen that Telegram refuses with 400', 'telegram_refused', {
      kind: 'error',
      code: 400,
      description: "Bad Request: can't parse entities",
    }),
    commandFault('a screen that Telegram puts off for ten minutes', 'telegram_rate_limit', {
      kind: 'error',
      code: 429,
      description: 'Too Many Requests: retry after 600',
      retryAfter: 600,
    }),
    commandFault('a screen that goes on failing with 502', 'telegram_failed', {
      kind: 'error',
      code: 502,
      description: 'Bad Gateway',
      times: forLong,
    }),
    // It is sent once more.
    commandFault('a screen whose answer is lost', 'telegram_unreachable', { kind: 'lost-answer', times: 2 }),
    commandFault('a screen that is answered with what is no answer', 'telegram_invalid_answer', {
      kind: 'nonsense',
      body: 'null',
      times: 2,
    }),
    commandFault('a screen that Telegram never answers', 'telegram_timeout', { kind: 'hang', times: 2 }),
    {
      name: 'a screen that comes a moment later',
      cause: 'screen_came_later',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        const fault = { kind: 'error', code: 502, description: 'Bad Gateway' } as const;
        bot.telegram.failNext({ ...fault, method: 'sendMessage', chatId: user.chatId });
        return cidAtEnd(bot, user.say('/help'), 'UI_RENDER');
      },
    },
    {
      name: 'an edit that Telegram goes on failing to do',
      cause: 'telegram_failed',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        const failing = { kind: 'error', code: 502, description: 'Bad Gateway', times: forLong } as const;
        bot.telegram.failNext({ ...failing, method: 'editMessageText', chatId: user.chatId });
        return cidAtEnd(bot, user.click('🎨 Pictures'));
      },
    },
    {
      name: 'a handler that throws',
      cause: 'handler_failed',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).click('🔎 Find a model')),
    },
    {
      name: 'a query that the database refuses',
      cause: 'database_refused',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).click('💸 Cheapest')),
    },
  ],
};

/** The next message to the user meets the fault. */
function commandFault(name: string, cause: Cause, fault: Fault): Scenario {
  return {
    name,
    cause,
    async provoke(bot) {
      const user = await userAtMenu(bot);
      bot.telegram.failNext({ ...fault, method: 'sendMessage', chatId: user.chatId });
      return cidAtEnd(bot, user.say('/help'));
    },
  };
}
