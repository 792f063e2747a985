// The database stores an update and its answer is lost: Telegram is refused, and sends the update again. By then it is
// known, but nobody has done for its user what is done when an update is stored.
import { fetch } from 'undici';
import { expect, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasonText } from '../../src/otel/reasons.ts';
import { type BotUnderTest, besides, type Line, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { holdStatement } from '../support/held-statement.ts';

const chatId = 7_070;
const tapId = 900_001;
const from = { id: chatId, is_bot: false, first_name: 'Ada', language_code: 'en' };
const chat = { id: chatId, type: 'private', first_name: 'Ada' };
const command = (updateId: number) => ({
  update_id: updateId,
  message: { message_id: 1, date: 1, chat, from, text: '/help' },
});
const tap = {
  update_id: tapId,
  callback_query: { id: 'lost', from, message: { message_id: 1, date: 1, chat }, data: 'v1:menu' },
};

test.concurrent('a tap above the share of its chat is answered all the same, and its end is emitted once', async () => {
  await using bots = await startBots({ INBOX_CHAT_MAX: '1' });
  const { first, second } = bots;
  await bots.makeBusy();
  const cid = await bots.loseStoring(tap);
  expect(await bots.outcomeOf(tapId)).toEqual([{ outcome: 'rejected', reason_code: 'RATE_LIMIT' }]);

  expect(await post(second, tap)).toBe(200);
  const text = reasonText('RATE_LIMIT', 'en', cid);
  expect(await bots.answered()).toMatchObject({ payload: { text } });
  await second.waitForEvent(cid, 'ANSWER_CALLBACK_QUERY');
  expect(endsOf(second, cid)).toEqual(['CALLBACK_REJECTED', 'DISPATCH_OK']);
  // By now it has been answered here.
  expect(await post(second, tap)).toBe(200);
  // An instance that was not there answers too, because nobody can know; but it emits no end.
  expect(await post(first, tap)).toBe(200);
  await first.waitForEvent(cid, 'ANSWER_CALLBACK_QUERY');
  expect(bots.answers()).toHaveLength(2);
  expect([...endsOf(second, cid), ...endsOf(first, cid)]).toEqual(['CALLBACK_REJECTED', 'DISPATCH_OK']);
  for (const bot of [first, second])
    for (const line of bot.lines.filter(({ name }) => name === 'UPDATE_DUPLICATE'))
      expect(line.original_cid).toBe(cid);
});

test.concurrent('a tap that is refused because nobody works it is answered all the same', async () => {
  await using bots = await startBots({ PASSIVE_MODE: 'reject' });
  const { second } = bots;
  const cid = await bots.loseStoring(tap);
  expect(await bots.outcomeOf(tapId)).toEqual([{ outcome: 'rejected', reason_code: 'PASSIVE_REJECT' }]);

  expect(await post(second, tap)).toBe(200);
  expect(await bots.answered()).toMatchObject({ payload: { text: reasonText('PASSIVE_REJECT', 'en', cid) } });
  await second.waitForEvent(cid, 'PASSIVE_NOTICE');
  expect(endsOf(second, cid)).toEqual(['CALLBACK_REJECTED']);
});

test.concurrent('the spinner of a tap whose chat is busy ends all the same', async () => {
  await using bots = await startBots({});
  await bots.makeBusy();
  const cid = await bots.loseStoring(tap);
  expect(await post(bots.second, tap)).toBe(200);
  expect(await bots.answered()).toMatchObject({ payload: { text: '⏳ Got it, a few more seconds' } });
  const [, duplicate] = await Promise.all([
    bots.second.waitForEvent(cid, 'ANSWER_CALLBACK_QUERY'),
    bots.second.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE'),
  ]);
  expect(duplicate.original_cid).toBe(cid);
  expect(endsOf(bots.second, cid)).toEqual([]);
});

test.concurrent('who writes while nobody works is notified all the same that it takes a while', async () => {
  await using bots = await startBots({ PASSIVE_MODE: 'reject' });
  await bots.loseStoring(command(tapId));
  expect(await post(bots.second, command(tapId))).toBe(200);
  await bots.second.waitForLine(({ name }) => name === 'PASSIVE_NOTICE');
  expect(bots.first.telegram.callCount('sendMessage')).toBeGreaterThan(0);
});

interface Bots extends AsyncDisposable {
  /** ACTIVE; commands hang here until the end. */
  readonly first: BotUnderTest;
  /** PASSIVE, behind a proxy of its own. */
  readonly second: BotUnderTest;
  /** The chat has an update that is being worked. */
  makeBusy(): Promise<void>;
  /** Sends the update to the second, which does not hear that it was stored. Resolves to the cid of the update. */
  loseStoring(update: { readonly update_id: number }): Promise<string>;
  outcomeOf(updateId: number): Promise<{ outcome: string | null; reason_code: string | null }[]>;
  answers(): ReturnType<BotUnderTest['telegram']['calls']>;
  answered(): Promise<unknown>;
}

async function startBots(environment: Readonly<Record<string, string>>): Promise<Bots> {
  await using stack = new AsyncDisposableStack();
  const gate = Promise.withResolvers<void>();
  const help: typeof handlers.commands.help = async (context, argument) => {
    await gate.promise;
    return handlers.commands.help(context, argument);
  };
  const first = stack.use(
    await startBot({
      // What holds the chat must not be given up while the machine is busy with other things.
      environment: { UPDATE_DEADLINE_SECONDS: '30' },
      overrides: { handlers: { ...handlers, commands: { ...handlers.commands, help } } },
    }),
  );
  const proxy = stack.use(await startPostgresProxy(first.database.url));
  const second = stack.use(
    await startBot(
      besides(first, { DATABASE_URL: proxy.url, LOCK_DATABASE_URL: first.database.url, ...environment }),
    ),
  );
  stack.defer(gate.resolve);
  const owned = stack.move();
  const answers = () =>
    first.telegram.calls('answerCallbackQuery', ({ payload }) => payload.callback_query_id === 'lost');
  return {
    first,
    second,
    async makeBusy() {
      expect(await post(first, command(tapId - 1))).toBe(200);
      await first.waitForLine(({ name }) => name === 'DISPATCH_START');
    },
    async loseStoring(update) {
      await using point = await holdStatement(first.database, {
        table: 'updates',
        event: 'insert',
        when: `new.update_id = ${update.update_id}`,
      });
      const posting = post(second, update);
      await point.reached();
      proxy.cut();
      await point.execute();
      expect(await posting).toBe(503);
      await waitFor(
        'the row',
        async () =>
          (await first.database.query('select 1 from updates where update_id = $1', [update.update_id]))
            .length > 0 || undefined,
      );
      return second.cidOf(update.update_id);
    },
    outcomeOf: updateId =>
      first.database.query('select outcome, reason_code from updates where update_id = $1', [updateId]),
    answers,
    answered: () => waitFor('the answer', () => answers()[0]),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function endsOf(bot: BotUnderTest, cid: string): string[] {
  return bot
    .linesOf(cid)
    .filter(({ name }: Line) => /^(DISPATCH_OK|DISPATCH_FAIL|CALLBACK_REJECTED)$/.test(name))
    .map(({ name }) => name);
}

async function post(bot: BotUnderTest, update: object): Promise<number> {
  const response = await fetch(bot.webhookUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body: JSON.stringify(update),
  });
  await response.text();
  return response.status;
}
