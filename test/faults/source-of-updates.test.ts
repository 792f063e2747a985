// Somebody else who has the token meddles with where Telegram brings the updates: it is seen, logged, shown by /health, set
// right without losing an update, and never fought over in a fast loop. A deploy is no such meddling.
import { expect, test } from 'vitest';
import { type BotUnderTest, besides, type Line, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';

const watched = { overrides: { lookAtSourceEveryMs: 150 } };
const polling = { ...watched, environment: { BOT_MODE: 'polling' } };

test(
  'a webhook that was deleted is set again, and what came meanwhile is worked',
  async () => {
    await using bot = await startBot(watched);
    const url = bot.telegram.webhookInfo.url;
    await call(bot, 'deleteWebhook', {});
    const user = bot.user();
    user.start();
    await user.waitForMessage(/What shall we create/, patienceMs);
    expect(bot.telegram.webhookInfo).toMatchObject({ url, max_connections: 100 });
    expect(warningsOf(bot)).toEqual(['WEBHOOK_LOST']);
    await healthy(bot);
  },
  testLimitMs,
);

test(
  'a webhook that points elsewhere is set right, and its address, which may hold a token, is not logged',
  async () => {
    await using bot = await startBot(watched);
    const url = bot.telegram.webhookInfo.url;
    await call(bot, 'setWebhook', { url: `http://127.0.0.1:9/${bot.telegram.token}` });
    const user = bot.user();
    user.start();
    await user.waitForMessage(/What shall we create/, patienceMs);
    expect(bot.telegram.webhookInfo.url).toBe(url);
    expect(warningsOf(bot)).toEqual(['WEBHOOK_FOREIGN']);
    const [line] = linesOf(bot);
    expect(line?.error_message).toContain('127.0.0.1:9');
    expect(line?.error_message).toContain('revoke it at @BotFather');
    expect(bot.output.join('')).not.toContain(bot.telegram.token);
    await healthy(bot);
  },
  testLimitMs,
);

test.each([
  { what: 'its secret', change: { secret_token: 'another-secret' } },
  { what: 'its kinds of updates', change: { secret_token: webhookSecret, allowed_updates: ['poll'] } },
])(
  'a webhook of which $what was changed is set right',
  async ({ change }) => {
    await using bot = await startBot(watched);
    const { url, allowed_updates: kinds } = bot.telegram.webhookInfo;
    await call(bot, 'setWebhook', { url, allowed_updates: kinds, max_connections: 100, ...change });
    const user = bot.user();
    const press = setInterval(() => user.start(), 500);
    try {
      await user.waitForMessage(/What shall we create/, patienceMs);
    } finally {
      clearInterval(press);
    }
    expect(bot.telegram.webhookInfo.allowed_updates).toEqual(kinds);
    expect(warningsOf(bot)).toContain('WEBHOOK_CHANGED');
    await healthy(bot);
  },
  testLimitMs,
);

test(
  'two bots that take turns at the webhook do so more and more seldom, and it is said',
  async () => {
    await using bot = await startBot(watched);
    const foreign = 'http://127.0.0.1:9/elsewhere';
    let isOver = false;
    const meddling = (async () => {
      while (!isOver) {
        await waitFor(
          'our webhook',
          () => bot.telegram.webhookInfo.url !== foreign || isOver || undefined,
          undefined,
          patienceMs,
        );
        await call(bot, 'setWebhook', { url: foreign });
      }
    })();
    try {
      const given = await bot.waitForLine(({ error_message: message }) =>
        /is left so until/.test(String(message)),
      );
      expect(given.error_message).toMatch(/was set right \d+ times/);
      expect(await health(bot)).toMatchObject({ ok: true, telegram: { state: 'webhook_foreign' } });
    } finally {
      isOver = true;
      await meddling;
    }
  },
  testLimitMs,
);

test(
  'a webhook that is set while the bot polls is deleted, and polling goes on',
  async () => {
    await using bot = await startBot(polling);
    await waitFor('a poll', () => bot.telegram.isPolled || undefined);
    await call(bot, 'setWebhook', { url: 'http://127.0.0.1:9/elsewhere' });
    const user = bot.user();
    user.start();
    await user.waitForMessage(/What shall we create/, patienceMs);
    expect(bot.telegram.webhookInfo.url).toBe('');
    expect(warningsOf(bot)).toEqual(['WEBHOOK_FOREIGN']);
    await healthy(bot);
  },
  testLimitMs,
);

test(
  'somebody else who polls is logged, and shown by /health',
  async () => {
    await using bot = await startBot(polling);
    let isOver = false;
    const rival = (async () => {
      while (!isOver) {
        await waitFor('a poll', () => bot.telegram.isPolled || isOver || undefined, undefined, patienceMs);
        await call(bot, 'getUpdates', { timeout: 1 });
      }
    })();
    const line = await bot.waitForLine(({ error_type: type }) => type === 'POLL_CONFLICT');
    expect(line).toMatchObject({ name: 'SYSTEM_WARNING', level: 'WARNING', operation: 'source of updates' });
    await waitFor(
      'the state',
      async () => (await health(bot)).telegram?.state === 'poll_conflict' || undefined,
    );
    isOver = true;
    await rival;
    expect(warningsOf(bot)).toEqual(['POLL_CONFLICT']);
  },
  testLimitMs,
);

test(
  'a deploy warns of nothing, and only the source knows where updates go',
  async () => {
    await using bot = await startBot(watched);
    await waitFor('a look', async () => (await health(bot)).telegram?.state);
    await using next = await startBot({ ...besides(bot, { RELEASE: 'next' }), ...watched });
    await waitFor('the hand-over', async () => (await health(next)).telegram?.state, undefined, patienceMs);
    expect((await health(bot)).telegram).toBeNull();
    const user = bot.user();
    user.start();
    await user.waitForMessage(/What shall we create/, patienceMs);
    expect([...warningsOf(bot), ...warningsOf(next)]).toEqual([]);
  },
  testLimitMs,
);

test(
  'an instance that cannot register at once leaves the webhook of its predecessor alone, and watches when it has registered',
  async () => {
    await using bot = await startBot(watched);
    await using next = await startBot({ ...besides(bot), ...watched });
    const before = bot.telegram.webhookInfo.url;
    bot.telegram.failNext({
      kind: 'error',
      method: 'setWebhook',
      code: 403,
      description: 'Forbidden: not now',
    });
    await bot.app.stop();
    const refused = await next.waitForLine(({ operation }) => operation === 'register at Telegram');
    expect(refused.error_message).toContain('not now');
    // It asks where updates go only now, and does so all the time.
    await waitFor('its own webhook', () => bot.telegram.webhookInfo.url !== before || undefined);
    expect(bot.telegram.webhookInfo.url).toBe(next.webhookUrl());
    await healthy(next);
    expect([...warningsOf(bot), ...warningsOf(next)]).toEqual([]);
  },
  testLimitMs,
);

test(
  'a Telegram that does not answer is shown by /health, logged once, and needs nobody when it is back',
  async () => {
    await using bot = await startBot(watched);
    await healthy(bot);
    bot.telegram.failNext({ kind: 'reset', method: 'getWebhookInfo', times: 1_000 });
    await waitFor(
      'the state',
      async () => (await health(bot)).telegram?.state === 'unreachable' || undefined,
      undefined,
      patienceMs,
    );
    bot.telegram.clearFaults();
    await healthy(bot);
    expect(warningsOf(bot)).toEqual(['UNREACHABLE']);
    expect((await health(bot)).ok).toBe(true);
  },
  testLimitMs,
);

interface Health {
  readonly ok: boolean;
  readonly telegram: { readonly state: string; readonly pending_update_count: number } | null;
}

async function health(bot: BotUnderTest): Promise<Health> {
  const answer = await fetch(`${bot.app.url()}/health`);
  // SAFETY: the route answers with more than that.
  return (await answer.json()) as Health;
}

async function healthy(bot: BotUnderTest): Promise<void> {
  await waitFor(
    'a look',
    async () => (await health(bot)).telegram?.state === 'ok' || undefined,
    undefined,
    patienceMs,
  );
}

/** Somebody else calls the Bot API with the same token, again where Telegram asks for a pause. */
async function call(bot: BotUnderTest, method: string, payload: object): Promise<void> {
  for (;;) {
    const answer = await fetch(`${bot.telegram.apiRoot}/bot${bot.telegram.token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    });
    if (answer.status !== 429) return;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

function linesOf(bot: BotUnderTest): Line[] {
  return bot.lines.filter(({ operation }) => operation === 'source of updates');
}

function warningsOf(bot: BotUnderTest): unknown[] {
  return linesOf(bot).map(({ error_type: type }) => type);
}
