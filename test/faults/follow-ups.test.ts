// What an update has left to be done is done whatever dies once its outcome is committed: the process, or the connection
// on which the commit was answered. The world is stopped at that step, never the code.
import { describe, expect, test } from 'vitest';
import { startProxies } from '../../sandbox/proxies.ts';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { waitFor } from '../support/bot.ts';
import { holdStatement } from '../support/held-statement.ts';
import { startProgram, startSurroundings } from '../support/process.ts';
import { openTwoLives, type TwoLives, waitMs } from '../support/two-lives.ts';
import { walkToConfirm } from '../support/walk.ts';

describe('killed once the outcome is committed', () => {
  test.concurrent('an erasure that was confirmed is made, and its user is notified', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    const point = await lives.stopAt({ table: 'erased', event: 'insert', when: 'true' });
    const confirmed = await confirmErasing(lives.chat);
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await peopleIn(lives)).toBe(1);

    await lives.start();
    await lives.chat.waitForMessage(/everything is erased/, { after: confirmed, deadlineMs: waitMs });
    expect(await peopleIn(lives)).toBe(0);
    expect(await lives.emitted(1, ({ name }) => name === 'USER_ERASED')).toHaveLength(1);
    await nothingLeft(lives);
  });

  test.concurrent('and before the user hears that all is erased, they hear it, and nothing is erased twice', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    await askForErasing(lives.chat);
    lives.telegram.failNext({ kind: 'hang', method: 'sendMessage' });
    const asked = lives.telegram.callCount('sendMessage');
    const confirmed = lives.chat.click('🗑 Yes, erase everything');
    await waitFor(
      'the words',
      () => lives.telegram.callCount('sendMessage') > asked || undefined,
      undefined,
      waitMs,
    );
    await lives.kill();
    expect(await peopleIn(lives)).toBe(0);

    await lives.start();
    await lives.chat.waitForMessage(/everything is erased/, { after: confirmed, deadlineMs: waitMs });
    await nothingLeft(lives);
    expect(await lives.emitted(1, ({ name }) => name === 'USER_ERASED')).toHaveLength(1);
    expect(await lives.database.query('select count(*)::int as erased from erased')).toEqual([{ erased: 1 }]);
  });

  test.concurrent('the copy that was asked for is sent', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    await lives.chat.waitForMessage(/Your data/, { after: lives.chat.say('/privacy'), deadlineMs: waitMs });
    lives.telegram.failNext({ kind: 'hang', method: 'sendDocument' });
    const asked = lives.chat.click('📦 Get a copy');
    await waitFor(
      'the copy',
      () => lives.telegram.callCount('sendDocument') > 0 || undefined,
      undefined,
      waitMs,
    );
    await lives.kill();

    await lives.start();
    await lives.chat.waitForMessage(/Everything we keep about you/, { after: asked, deadlineMs: waitMs });
    await nothingLeft(lives);
  });

  test.concurrent('a new user gets the welcome credit, without asking again', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    const point = await lives.stopAt({ table: 'ledger', event: 'insert', when: `new.kind = 'welcome'` });
    const start = lives.chat.start();
    await point.reached();
    await lives.kill();
    await point.takeBack();

    await lives.start();
    const [credit] = await lives.emitted(1, ({ name }) => name === 'BALANCE_TOPUP');
    expect(credit).toMatchObject({ operation: 'welcome', amount: 100_000, user_hash: expect.any(String) });
    const [received] = await lives.emitted(
      1,
      line => line.name === 'UPDATE_RECEIVED' && line.update_id === start.updateId,
    );
    expect(credit?.cid).toBe(received?.cid);
    expect(await lives.database.query('select available::int from wallets')).toEqual([
      { available: 100_000 },
    ]);
    await nothingLeft(lives);
  });

  test.concurrent('a task that was ordered runs, and not only because it would by itself later', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    const point = await lives.stopAt({
      table: 'follow_ups',
      event: 'update',
      when: `new.kind = 'start_task' and new.picked_by is not null`,
    });
    await walkToConfirm(lives.chat, waitMs);
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    // Else it would run by itself some seconds later.
    await lives.database.query(
      `update graphile_worker._private_jobs set run_at = now() + interval '1 hour' where key like 'task:%'`,
    );

    await lives.start();
    await lives.chat.waitForMessage(({ kind }) => kind === 'photo', { after: run, deadlineMs: waitMs });
    await nothingLeft(lives);
  });
});

test('a commit whose answer is lost is emitted once, and what follows is done', async () => {
  await using surroundings = await startSurroundings();
  const { database, telegram, environment } = surroundings;
  await using proxies = await startProxies(environment);
  await using program = await startProgram({
    ...environment,
    DATABASE_URL: proxies.environment.DATABASE_URL ?? '',
    LOCK_DATABASE_URL: database.url,
  });
  await using point = await holdStatement(database, {
    table: 'updates',
    event: 'update',
    when: 'new.outcome is not null',
  });
  const user = surroundings.user();
  const start = user.start();
  await point.reached();
  proxies.postgres.cut();
  await point.execute();

  const credit = await program.waitForEvent('BALANCE_TOPUP');
  expect(credit.cid).toBe(await program.cidOf(start.updateId));
  const chain = program.chainOf(credit.cid);
  expect(chain.filter(name => name === 'DISPATCH_OK')).toEqual(['DISPATCH_OK']);
  expect(program.lines.filter(({ error_type }) => error_type === 'ALREADY_FINISHED')).toEqual([]);
  expect(user.messages()).toHaveLength(1);
  expect(telegram.callCount('sendMessage')).toBe(1);
  expect(await database.query('select outcome, attempts from updates')).toEqual([
    { outcome: 'accepted', attempts: 1 },
  ]);
});

async function askForErasing(chat: SandboxUser): Promise<void> {
  await chat.waitForMessage(/Your data/, { after: chat.say('/privacy'), deadlineMs: waitMs });
  await chat.waitForMessage(/Erase everything/, { after: chat.click('🗑 Erase'), deadlineMs: waitMs });
}

async function confirmErasing(chat: SandboxUser): Promise<ReturnType<SandboxUser['click']>> {
  await askForErasing(chat);
  return chat.click('🗑 Yes, erase everything');
}

async function peopleIn({ database }: TwoLives): Promise<number> {
  return (await database.query('select 1 from users')).length;
}

async function nothingLeft({ database }: TwoLives): Promise<void> {
  await waitFor(
    'nothing left to be done',
    async () => (await database.query('select 1 from follow_ups')).length === 0 || undefined,
    undefined,
    waitMs,
  );
}
