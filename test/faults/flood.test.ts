// Far more updates than a slow Telegram lets the bot work: the inbox fills up to its limit and no further, the rest
// is refused, memory does not grow with what is refused, and what was acknowledged is worked off, once.
// FLOOD_UPDATES raises the flood: FLOOD_UPDATES=50000 vitest run test/faults/flood.test.ts
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { type BotUnderTest, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { spanExporter } from '../support/record-spans.ts';

const floodUpdates = Number(process.env.FLOOD_UPDATES ?? 5_000);
const inboxMax = 500;
const chats = 50;
/** The default of setWebhook. */
const connections = 40;
const telegramDelayMs = 400;
/** Before anything is measured: it loads and compiles what the flood will need. */
const warmUpUpdates = 100;
/** The depth of the inbox is watched from outside. */
const lookEveryMs = 20;
/** So that updates which are kept anywhere in the process are seen in its memory. */
const fillerBytes = 20_000;
/** For what is being worked, whatever the size of the flood; the smallest flood has 100 MB. */
const maxGrowthBytes = 40_000_000;

interface Flood {
  readonly acknowledged: readonly number[];
  readonly refused: readonly number[];
  /** How many had been acknowledged when the first one was refused. */
  readonly beforeFirstRefusal: number;
  /** The most updates without an outcome that were in the database at a time. */
  readonly deepest: number;
}

test(
  'a flood is taken up to INBOX_MAX, refused from there on, and what was taken is worked off',
  async () => {
    await using bot = await startBot({
      telegram: { delayMs: telegramDelayMs, keepHistory: false },
      environment: { INBOX_MAX: String(inboxMax), LOG_LEVEL: 'WARNING' },
    });
    const lanes = Array.from({ length: chats }, () => bot.user({ started: true }).chatId);
    const warmUp = await pour(bot, lanes, range(1, warmUpUpdates));
    expect(warmUp.refused).toEqual([]);
    await workedOff(bot);
    const before = await heldBytes();
    const flood = await pour(bot, lanes, range(warmUpUpdates + 1, warmUpUpdates + floodUpdates));
    const growth = (await heldBytes()) - before;

    expect(flood.refused.length).toBeGreaterThan(0);
    // At the first refusal the others are still on their way back, and what was being stored when the last count began
    // may stand in it and beside it.
    expect(flood.beforeFirstRefusal).toBeGreaterThan(inboxMax - 2 * connections);
    expect(flood.deepest).toBeLessThanOrEqual(inboxMax);
    expect(flood.deepest).toBeGreaterThan(inboxMax - connections);
    expect(growth).toBeLessThan(maxGrowthBytes);

    await workedOff(bot);
    const rows = await bot.database.query<{ update_id: string; outcome: string; attempts: number }>(
      'select update_id, outcome, attempts from updates order by update_id',
    );
    const acknowledged = [...warmUp.acknowledged, ...flood.acknowledged];
    expect(rows.map(({ update_id }) => Number(update_id))).toEqual(acknowledged.toSorted((a, b) => a - b));
    expect(new Set(rows.map(({ outcome, attempts }) => `${outcome} after ${attempts}`))).toEqual(
      new Set(['accepted after 1']),
    );
    // Each was answered with one screen.
    expect(bot.telegram.callCount('sendMessage')).toBe(rows.length);

    const warnings = bot.lines.filter(({ name }) => name === 'QUEUE_FULL');
    expect(warnings[0]).toMatchObject({ queue_depth: inboxMax, refused_count: 1 });
    await bot.app.stop();
    const refusedInLines = bot.lines
      .filter(({ name }) => name === 'QUEUE_FULL')
      .reduce((sum, { refused_count }) => sum + Number(refused_count), 0);
    expect(refusedInLines).toBe(flood.refused.length);
  },
  testLimitMs + floodUpdates * 2,
);

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Each update once, as fast as the bot answers, over so many connections as Telegram opens. */
async function pour(
  bot: BotUnderTest,
  lanes: readonly number[],
  updateIds: readonly number[],
): Promise<Flood> {
  const pool = new Pool(bot.app.url(), { connections });
  const acknowledged: number[] = [];
  const refused: number[] = [];
  let beforeFirstRefusal = 0;
  let deepest = 0;
  // Shared by all connections: each takes the next one.
  const waiting = updateIds.values();
  const send = async (): Promise<void> => {
    for (const updateId of waiting) {
      const status = await post(pool, updateId, lanes[updateId % lanes.length] ?? 0);
      expect([200, 429]).toContain(status);
      if (status === 429 && refused.length === 0) beforeFirstRefusal = acknowledged.length;
      (status === 200 ? acknowledged : refused).push(updateId);
    }
  };
  let isOver = false;
  const watch = async (): Promise<void> => {
    while (!isOver) {
      deepest = Math.max(deepest, await unfinished(bot));
      await sleep(lookEveryMs);
    }
  };
  const watching = watch();
  try {
    await Promise.all(Array.from({ length: connections }, send));
  } finally {
    isOver = true;
    await watching;
    await pool.close();
  }
  return { acknowledged, refused, beforeFirstRefusal, deepest };
}

async function post(pool: Pool, updateId: number, chatId: number): Promise<number> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/webhook',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body: JSON.stringify({
      update_id: updateId,
      message: {
        message_id: updateId,
        date: 1,
        chat: { id: chatId, type: 'private', first_name: 'Somebody' },
        from: { id: chatId, is_bot: false, first_name: 'Somebody', language_code: 'en' },
        text: '/help',
      },
      filler: `${updateId}`.repeat(fillerBytes).slice(0, fillerBytes),
    }),
  });
  await body.dump();
  return statusCode;
}

async function unfinished(bot: BotUnderTest): Promise<number> {
  const [row] = await bot.database.query<{ depth: string }>(
    'select count(*) as depth from updates where outcome is null',
  );
  return Number(row?.depth);
}

function workedOff(bot: BotUnderTest): Promise<true> {
  return waitFor(
    'the end of all that was acknowledged',
    async () => (await unfinished(bot)) === 0 || undefined,
    undefined,
    patienceMs,
  );
}

/** What the process holds on to. The spans that the tests keep are given away first. */
async function heldBytes(): Promise<number> {
  spanExporter.reset();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  // What is freed outside the heap is freed in a turn after the collection.
  for (let round = 0; round < 3; round += 1) {
    collect();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
