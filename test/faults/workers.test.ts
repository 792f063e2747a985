// The part of a process that works may die while the process, its lock and its HTTP server live. Then it is begun
// anew, or somebody else works; nobody is healthy and idle.
import { expect, test } from 'vitest';
import { endSessions } from '../support/blip.ts';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Fleet, type Instance, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';
import { startStorm } from '../support/storm.ts';

const blips = 15;

test(
  'work goes on when the sessions of the bot end again and again, all but the one with the lock',
  async () => {
    // With a limit as in production: a standby that cannot look for 2 s must not think that nobody works.
    await using fleet = await startFleet({ environment: { STALE_IDLE_SECONDS: '15' } });
    await fleet.start();
    await fleet.start();
    const storm = await startStorm(fleet, 3);
    for (let blip = 0; blip < blips; blip += 1) {
      await storm.taps(6);
      await endSessions(fleet.surroundings.database);
    }
    await storm.taps(10);
    await expectSoundHistory(fleet, await storm.stop());
  },
  testLimitMs,
);

test(
  'an instance that cannot take jobs, however often its runners are replaced, says so and lets another one work',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    const second = await fleet.start();
    await keepFromJobs(fleet, first);
    const user = fleet.surroundings.user();
    const start = user.start();
    const released = await first.waitForEvent('LOCK_RELEASED');
    expect(released.operation).toMatch(/no proof of work: (lane|task)/);
    expect(await readinessOf(first)).toEqual([503, 'work']);
    expect(first.lines).toContainEqual(
      expect.objectContaining({ name: 'SYSTEM_WARNING', operation: 'restart the lane runner' }),
    );
    await second.waitForEvent('LOCK_ACQUIRED');
    await user.waitForMessage(/What shall we create/);
    expect(await readinessOf(second)).toEqual([200, null]);
    // As a standby it is well: another one works.
    await ready(first);
    await expectSoundHistory(fleet, [start]);
    // It is of use again as soon as it can work.
    await fleet.surroundings.database.query('drop trigger no_jobs on graphile_worker._private_jobs');
    second.leaveRotation();
    second.signal('SIGKILL');
    await waitFor(
      'the first to work again',
      () => first.lines.filter(({ name }) => name === 'LOCK_ACQUIRED').length === 2 || undefined,
    );
    await ready(first);
  },
  testLimitMs,
);

async function ready(instance: Instance): Promise<void> {
  await waitFor(
    'the instance to be ready',
    async () => (await readinessOf(instance))[0] === 200 || undefined,
  );
}

/** Status and reason. */
async function readinessOf({ port }: Instance): Promise<[number, unknown]> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  // SAFETY: the probe answers with a JSON object.
  return [answer.status, ((await answer.json()) as { readonly reason: unknown }).reason];
}

/** Whatever this instance does to have a job fails. */
async function keepFromJobs({ surroundings }: Fleet, { id }: Instance): Promise<void> {
  await surroundings.database.query(`
    create function no_jobs() returns trigger language plpgsql as $$ begin
      if current_setting('application_name') = '${id}' and new.locked_by is not null then
        raise exception 'No jobs for this one';
      end if;
      return new;
    end $$`);
  await surroundings.database.query(
    `create trigger no_jobs before update on graphile_worker._private_jobs for each row execute function no_jobs()`,
  );
}
