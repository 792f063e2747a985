// Many users tap twice on what they can pay once, while the process is killed and started again under them, and the
// supplier fails some orders and loses answers. Afterwards everyone has paid for what they were sent, and for nothing
// else.
import { expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { productionTimings } from '../../src/pipeline/timings.ts';
import { waitFor } from '../support/bot.ts';
import { patienceMs } from '../support/patience.ts';
import { differencesOf, openTwoLives, type TwoLives } from '../support/two-lives.ts';
import { walkToConfirm } from '../support/walk.ts';

/** Of Z-Image, and all that a user has. */
const price = 80;
const waves = 3;
const usersPerWave = 10;

test('whoever taps Run twice while the bot dies twice pays once, for a picture, or nothing', async () => {
  await using lives = await openTwoLives();
  const { kie } = lives;
  const environment = { WELCOME_CREDIT: String(price) };
  await lives.start(environment);
  const users = Array.from({ length: waves * usersPerWave }, () => lives.user());
  await Promise.all(users.map(user => walkToConfirm(user, patienceMs)));
  kie.failNext({ at: 'outcome', does: 'fail' }, 6);
  kie.failNext({ at: 'callback', does: 'never' }, 6);
  kie.failNext({ at: 'create', does: 'lose-answer' }, 4);

  for (let wave = 0; wave < waves; wave++) {
    const before = kie.createdCount();
    for (const user of users.slice(wave * usersPerWave, (wave + 1) * usersPerWave)) {
      user.click('🚀 Run');
      user.click('🚀 Run');
    }
    // Amid the work: some orders are settled, some are under way, some not yet begun.
    await waitFor(
      `orders of wave ${wave}`,
      () => kie.createdCount() > before || undefined,
      undefined,
      patienceMs,
    );
    if (wave === waves - 1) continue;
    await lives.kill();
    await lives.start(environment);
  }
  await lives.telegram.idle(patienceMs);
  await lives.quiet(patienceMs);
  // Orders that nobody has heard of, and what was being sent by a process that died.
  await lives.kill();
  await lives.passTime('tasks', 'submitted_at', productionTimings.unknownOutcomeLimitMs);
  await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
  await lives.start(environment);
  await lives.quiet(patienceMs);

  expect(await differencesOf(lives)).toEqual([]);
  await expectOneOrderEach(lives, users);
  for (const user of users) await expectFair(lives, user);
});

/** One task of each draft, which KIE.ai was given once at most; of the two taps one was taken. */
async function expectOneOrderEach({ database, kie }: TwoLives, users: readonly SandboxUser[]): Promise<void> {
  const tasks = await database.query<{ chat_id: string; draft_id: string }>(
    'select chat_id, draft_id from tasks order by chat_id',
  );
  expect(tasks.map(({ chat_id }) => Number(chat_id))).toEqual(users.map(({ chatId }) => chatId));
  expect(new Set(tasks.map(({ draft_id }) => draft_id)).size).toBe(users.length);
  const addresses = kie.tasks().map(({ callBackUrl }) => callBackUrl);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(
    await database.query(
      'select lane, count(*)::int as unfinished from updates where outcome is null group by lane',
    ),
  ).toEqual([]);
  const taps = await database.query<{ outcome: string; reason_code: string }>(
    `select outcome, reason_code from updates where body->'callback_query'->>'data' like 'v1:gen%'
     order by lane, outcome`,
  );
  expect(taps).toEqual(
    users.flatMap(() => [
      { outcome: 'accepted', reason_code: 'SUCCESS' },
      { outcome: 'rejected', reason_code: 'DUPLICATE_ACTION' },
    ]),
  );
}

/** Paid and has the picture, or has the money and was notified once. */
async function expectFair({ database, lines }: TwoLives, user: SandboxUser): Promise<void> {
  const { chatId } = user;
  const ledger = await database.query<{ kind: string }>(
    'select kind from ledger where chat_id = $1 order by id',
    [chatId],
  );
  const [wallet] = await database.query('select available::int, held::int from wallets where chat_id = $1', [
    chatId,
  ]);
  const [task] = await database.query<{ id: string; state: string }>(
    'select id, state from tasks where chat_id = $1',
    [chatId],
  );
  const isPaid = task?.state === 'succeeded';
  expect({ state: task?.state, ledger: ledger.map(({ kind }) => kind), wallet }).toEqual({
    state: isPaid ? 'succeeded' : 'failed',
    ledger: ['welcome', 'hold', isPaid ? 'charge' : 'release'],
    wallet: { available: isPaid ? 0 : price, held: 0 },
  });
  const pictures = user.messages().filter(({ kind }) => kind === 'photo').length;
  const notices = user.messages().filter(({ text }) => text.includes('Your money is back')).length;
  const isMaybeDouble = lines('RESULT_DELIVERED').some(
    line => line.task_id === task?.id && /may be double/.test(String(line.reason_detail)),
  );
  expect({ pictures, notices }).toEqual({
    pictures: isPaid ? (isMaybeDouble ? expect.any(Number) : 1) : 0,
    notices: isPaid ? 0 : 1,
  });
  if (isPaid) expect([1, 2]).toContain(pictures);
}
