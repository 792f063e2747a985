// Hosts of files that take requests and never answer. What waits for them holds its own stage only: taps are answered,
// other results are delivered, other generations are made.
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import { startLoopbackServer } from '../kie/loopback-server.ts';
import { quickTimings, startBot, waitFor } from '../support/bot.ts';
import { testLimitMs } from '../support/patience.ts';
import { storeOrders, storeResults, workTasks } from '../support/stored-tasks.ts';
import { walkToConfirm } from '../support/walk.ts';

/** More than an instance has slots for. */
const tasks = 150;
/** Shorter than the bot waits for one call of Telegram: who had to wait for one comes too late. */
const inTimeMs = 25_000;

test(
  'deliveries from a host that hangs let taps and the results of other hosts through',
  async () => {
    const hanging = await startLoopbackServer(() => undefined);
    const good = await startLoopbackServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end(createPng(20, 10, [1, 2, 3])),
    );
    await using bot = await startBot();
    const victim = bot.telegram.user({ started: true });
    const other = bot.user({ started: true });
    // Telegram fetches by itself, and waits for the host.
    bot.telegram.failNext({ kind: 'hang', method: 'sendPhoto', chatId: victim.chatId, times: 1_000 });
    const stuck = await storeResults(bot.database, tasks, {
      chatId: victim.chatId,
      url: `${hanging.url}/a.png`,
    });
    await workTasks(bot.database, stuck);
    await waitFor(
      'deliveries that hang',
      () => bot.telegram.callCount('sendPhoto') > 4 || undefined,
      undefined,
      inTimeMs,
    );

    const [result = ''] = await storeResults(bot.database, 1, {
      chatId: other.chatId,
      url: `${good.url}/b.png`,
    });
    await workTasks(bot.database, [result]);
    other.start();
    await other.waitForMessage(/What shall we create/, inTimeMs);
    await other.waitForMessage(({ kind }) => kind === 'photo', inTimeMs);
    expect(
      await bot.database.query(
        'select 1 from deliveries where task_id = any($1) and message_id is not null',
        [stuck],
      ),
    ).toEqual([]);
    // Ends the calls that hang, for which a stop would wait.
    await bot.telegram.stop();
    await Promise.all([hanging.stop(), good.stop()]);
  },
  testLimitMs,
);

test(
  'orders whose uploads hang let taps and other generations through, and end with their money back',
  async () => {
    const hanging = await startLoopbackServer(() => undefined);
    await using bot = await startBot({
      environment: { KIE_UPLOAD_URL: hanging.url },
      overrides: { timings: { ...quickTimings, submitWindowMs: 2_000 } },
    });
    const victim = bot.user({ started: true });
    const other = bot.user();
    const { updateId } = victim.sendPhoto();
    await bot.cidOf(updateId);
    const [row] = await bot.database.query<{ file: string }>(
      `select body->'message'->'photo'->-1->>'file_id' as file from updates where update_id = $1`,
      [updateId],
    );
    const stuck = await storeOrders(bot.database, tasks, {
      chatId: victim.chatId,
      modelId: 'recraft/crisp-upscale',
      modelKey: 'm116',
      values: { image: [{ from: 'telegram', fileId: row?.file }] },
    });
    await workTasks(bot.database, stuck);
    await waitFor('uploads that hang', () => hanging.requestCount() > 1 || undefined, undefined, inTimeMs);

    await walkToConfirm(other, inTimeMs);
    other.click('🚀 Run');
    await other.waitForMessage(({ kind }) => kind === 'photo', inTimeMs);
    // The window in which files are stored is two seconds here: who found no place in it is notified, and has the money.
    await waitFor(
      'most of them to end',
      async () => {
        const [ended] = await bot.database.query<{ count: number }>(
          `select count(*)::int as count from tasks join holds on holds.task_id = tasks.id
         where tasks.id = any($1) and tasks.state = 'failed' and holds.state = 'released'`,
          [stuck],
        );
        return (ended?.count ?? 0) >= tasks - 3 || undefined;
      },
      undefined,
      inTimeMs,
    );
    await hanging.stop();
  },
  testLimitMs,
);
