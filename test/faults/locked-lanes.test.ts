// A table that every lane needs is locked (a migration by hand, a repair): updates are stored, an instance is ACTIVE and
// its workers live, and nobody can work a single update. No instance says then that it is ready; no takeover would help.
// A lock against reading keeps every update from being picked; one against writing alone, or one that came amid an
// update, keeps it from being ended.
import pg from 'pg';
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Fleet, type Instance, startFleet } from '../support/fleet.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';

const menu = /What shall we create/;

const locks = [
  { table: 'sessions', against: 'reading', mode: 'access exclusive' },
  { table: 'follow_ups', against: 'reading', mode: 'access exclusive' },
  { table: 'sessions', against: 'writing', mode: 'exclusive' },
];

for (const { table, against, mode } of locks)
  test(
    `while ${table} is locked against ${against} and no update can be worked no instance is ready, and then the tap is answered`,
    async () => {
      await using fleet = await startFleet({
        environment: { UPDATE_DEADLINE_SECONDS: '1.5' },
      });
      const instances = [await fleet.start(), await fleet.start()];
      const user = fleet.surroundings.user();
      const start = user.start();
      await user.waitForMessage(menu, { after: start, deadlineMs: patienceMs });
      await hasEnded(fleet, start);
      await Promise.all(instances.map(instance => becomes(instance, 200, null)));
      const locker = new pg.Client({ connectionString: fleet.surroundings.database.url });
      await locker.connect();
      await locker.query(`begin; lock table ${table} in ${mode} mode`);
      const tap = user.click('❓ Help');
      try {
        await Promise.all(instances.map(instance => becomes(instance, 503, 'stalled')));
      } finally {
        await locker.end();
      }
      expect((await user.answerOf(tap, patienceMs)).text).toBeDefined();
      await user.waitForMessage(/How it works/, { after: tap, deadlineMs: patienceMs });
      await Promise.all(instances.map(instance => becomes(instance, 200, null)));
      const resigned = fleet.lines().filter(({ operation }) => /no proof of work/.test(String(operation)));
      expect(resigned, 'nobody else could do better').toEqual([]);
      await expectSoundHistory(fleet, [start, tap]);
    },
    testLimitMs,
  );

/** What a user sees comes before its commit, which the lock would keep back. */
async function hasEnded({ surroundings }: Fleet, { updateId }: { readonly updateId: number }): Promise<void> {
  await waitFor(
    `the end of update ${updateId}`,
    async () => {
      const rows = await surroundings.database.query(
        'select from updates where update_id = $1 and outcome is not null',
        [updateId],
      );
      return rows.length > 0 || undefined;
    },
    undefined,
    patienceMs,
  );
}

async function becomes({ port }: Instance, status: number, reason: string | null): Promise<void> {
  let last: unknown;
  await waitFor(
    `status ${status} with reason ${reason}`,
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      last = { status: answer.status, body: await answer.json() };
      const wanted = { status, body: { ok: reason === null, reason } };
      return JSON.stringify(last) === JSON.stringify(wanted) || undefined;
    },
    () => JSON.stringify(last),
    patienceMs,
  );
}
