// The table of leases is locked (a backup, a repair by hand): nobody can hold the lock's lease and nobody can look who
// does. Neither instance says that it is ready for updates that nobody works, and both go on by themselves afterwards.
import pg from 'pg';
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Instance, startFleet } from '../support/fleet.ts';
import { startStorm } from '../support/storm.ts';

const waitMs = 40_000;

test('while nobody can hold a lease no instance is ready, and then the work goes on', async () => {
  await using fleet = await startFleet();
  const instances = [await fleet.start(), await fleet.start()];
  const storm = await startStorm(fleet, 2);
  await storm.taps(5);
  const locker = new pg.Client({ connectionString: fleet.surroundings.database.url });
  await locker.connect();
  await locker.query('begin; lock table leases in access exclusive mode');
  const waiting = fleet.surroundings.user().start();
  try {
    for (const instance of instances)
      await waitFor(
        'not ready',
        async () => (await isReady(instance)) === false || undefined,
        undefined,
        waitMs,
      );
    const rows = await fleet.surroundings.database.query(
      'select 1 from updates where update_id = $1 and outcome is null',
      [waiting.updateId],
    );
    expect(rows).toHaveLength(1);
  } finally {
    await locker.end();
  }
  for (const instance of instances)
    await waitFor('ready', async () => (await isReady(instance)) || undefined, undefined, waitMs);
  await storm.taps(5);
  await expectSoundHistory(fleet, [...(await storm.stop()), waiting]);
}, 150_000);

async function isReady({ port }: Instance): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
}
