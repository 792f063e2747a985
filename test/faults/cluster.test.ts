// INSTANCE_MODE=cluster: every instance works the shared inbox, each chat is worked by one at a time, and what a
// member leaves behind is taken over by the others.
import { expect, test } from 'vitest';
import { endSessions } from '../support/blip.ts';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Fleet, type Instance, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';
import { startStorm } from '../support/storm.ts';

const cluster = { environment: { INSTANCE_MODE: 'cluster' } };

test(
  'three instances share the work, in the order of each chat, and one is the source of updates',
  async () => {
    await using fleet = await startFleet(cluster);
    const members = [await fleet.start(), await fleet.start(), await fleet.start()];
    const storm = await startStorm(fleet, 12);
    await storm.taps(200);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
    for (const { lines } of members)
      expect(lines.filter(({ name }) => name === 'DISPATCH_OK').length).toBeGreaterThan(0);
    expect(fleet.surroundings.telegram.calls('setWebhook')).toHaveLength(1);
  },
  testLimitMs,
);

test(
  'what a crashed member had picked is worked by the others',
  async () => {
    await using fleet = await startFleet(cluster);
    const [first] = [await fleet.start(), await fleet.start(), await fleet.start()];
    const storm = await startStorm(fleet, 12);
    await storm.taps(60);
    first.signal('SIGKILL');
    await storm.taps(60);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
    // The crashed one was the source; another one is now.
    await waitFor(
      'another source',
      () => fleet.surroundings.telegram.calls('setWebhook').length === 2 || undefined,
    );
  },
  testLimitMs,
);

test(
  'a frozen member is fenced off, and works again when it thaws',
  async () => {
    await using fleet = await startFleet(cluster);
    const [, second] = [await fleet.start(), await fleet.start(), await fleet.start()];
    const storm = await startStorm(fleet, 12);
    await storm.taps(60);
    second.signal('SIGSTOP');
    await waitFor('the end of its lease', async () => (await members(fleet)).length === 2 || undefined);
    await storm.taps(60);
    second.signal('SIGCONT');
    await second.waitForEvent('LOCK_LOST');
    await waitFor('its return', async () => (await members(fleet)).length === 3 || undefined);
    await storm.taps(60);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
  },
  testLimitMs,
);

test(
  'a member that ends politely leaves nothing to take over',
  async () => {
    await using fleet = await startFleet(cluster);
    const [first] = [await fleet.start(), await fleet.start()];
    const storm = await startStorm(fleet, 6);
    await storm.taps(40);
    first.leaveRotation();
    first.signal('SIGTERM');
    expect((await first.exited).signal).toBe('SIGTERM');
    expect(await members(fleet)).toHaveLength(1);
    await storm.taps(40);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
  },
  testLimitMs,
);

test(
  'a member whose sessions end again and again keeps no chat from the others',
  async () => {
    await using fleet = await startFleet(cluster);
    const [first] = [await fleet.start(), await fleet.start()];
    const storm = await startStorm(fleet, 12);
    for (let blip = 0; blip < 12; blip += 1) {
      await storm.taps(12);
      await endSessions(fleet.surroundings.database, [first.id]);
    }
    await storm.taps(10);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
  },
  testLimitMs,
);

test(
  'a change of the mode hands the work over, there and back, and the two never work side by side',
  async () => {
    await using fleet = await startFleet();
    const single = await fleet.start();
    const storm = await startStorm(fleet, 3);
    await storm.taps(10);
    const member = await fleet.start(cluster.environment);
    await single.waitForEvent('LOCK_RELEASED');
    await storm.taps(20);
    expect(await statesOf([single, member])).toEqual(['PASSIVE', 'ACTIVE']);
    // As a platform does it: otherwise it would be the next one in the queue.
    single.leaveRotation();
    await single.stop();
    const anotherSingle = await fleet.start();
    await anotherSingle.waitForEvent('LOCK_ACQUIRED');
    await storm.taps(20);
    expect(await statesOf([member, anotherSingle])).toEqual(['PASSIVE', 'ACTIVE']);
    expect(await members(fleet)).toEqual([]);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: true });
    const workers = fleet.lines().filter(({ name }) => name === 'DISPATCH_OK' || name === 'DISPATCH_FAIL');
    const turns = workers.map(({ instance_id: id }) => id).filter((id, index, ids) => id !== ids[index - 1]);
    expect(turns).toEqual([single.id, member.id, anotherSingle.id]);
  },
  testLimitMs,
);

async function statesOf(instances: readonly Instance[]): Promise<unknown[]> {
  const states: unknown[] = [];
  for (const { port } of instances) {
    const health: unknown = await (await fetch(`http://127.0.0.1:${port}/health`)).json();
    states.push(typeof health === 'object' && health !== null && 'bot_state' in health && health.bot_state);
  }
  return states;
}

function members({ surroundings }: Fleet): Promise<unknown[]> {
  return surroundings.database.query(`select instance_id from leases where name like 'member:%'`);
}
