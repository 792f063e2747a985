// The labelled set: faults that are provoked on running bots, and the cause that the verdict must name for each. What
// counts is the score over all of them, and that nothing wrong is said with high confidence.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BotUnderTest, startBot } from '../../support/bot.ts';
import { followUpFaults } from './follow-ups.ts';
import { busyFaults, databaseFaults, floodFaults, fullFaults, passiveFaults } from './queue.ts';
import { type Judged, judge } from './scenario.ts';
import { deliveryFaults, freeFaults, lateFaults, supplierFaults, unreachableFaults } from './supplier.ts';
import { poorFaults, tapFaults } from './taps.ts';
import { telegramFaults } from './telegram.ts';

const groups = [
  tapFaults,
  poorFaults,
  telegramFaults,
  supplierFaults,
  unreachableFaults,
  deliveryFaults,
  lateFaults,
  freeFaults,
  busyFaults,
  passiveFaults,
  databaseFaults,
  fullFaults,
  floodFaults,
  followUpFaults,
];
const leastRight = 0.95;
const leastFaults = 40;
const judged: Judged[] = [];

describe.each(groups)('$name', ({ options, scenarios, release }) => {
  let bot: BotUnderTest;
  beforeAll(async () => {
    bot = await startBot(options);
  });
  afterAll(async () => {
    await release?.(bot);
    await bot.stop();
  });

  test.each(scenarios)('$name is explained as $cause', async scenario => {
    const cid = await scenario.provoke(bot);
    const verdict = judge(bot, cid, 'en');
    const isRight = verdict.cause === scenario.cause;
    judged.push({ ...verdict, scenario, isRight });
    expect(judge(bot, cid, 'ru').sentence).toMatch(/\p{Script=Cyrillic}/u);
    expect(verdict.sentence).not.toMatch(/[{}]|undefined|\(unknown\)/);
    // What the user was shown may be several sentences.
    expect(verdict.sentence.replace(/«[^»]*»/g, '').match(/\.(?=\s|$)/g)).toHaveLength(1);
    expect(isRight || verdict.confidence !== 'high', `${verdict.cause}: ${verdict.sentence}`).toBe(true);
    expect(verdict, bot.chainOf(cid).join(', ')).toMatchObject({ cause: scenario.cause });
  });
});

test('nearly all verdicts are right, and none is wrong with high confidence', () => {
  const right = judged.filter(({ isRight }) => isRight);
  process.stdout.write(`${right.length} of ${judged.length} verdicts are right\n`);
  expect(new Set(judged.map(({ scenario }) => scenario.name)).size).toBeGreaterThanOrEqual(leastFaults);
  expect(right.length / judged.length).toBeGreaterThanOrEqual(leastRight);
  expect(judged.filter(({ isRight, confidence }) => !isRight && confidence === 'high')).toEqual([]);
});
