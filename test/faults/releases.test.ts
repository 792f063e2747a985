// A deploy after a deploy: the instance that is asked to yield was itself a standby once.
import { expect, test } from 'vitest';
import { expectSoundHistory, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';
import { startStorm } from '../support/storm.ts';

test(
  'release after release takes over without a refused tap',
  async () => {
    await using fleet = await startFleet();
    await fleet.start({ RELEASE: 'first' });
    const second = await fleet.start({ RELEASE: 'second' });
    await second.waitForEvent('LOCK_ACQUIRED');
    const storm = await startStorm(fleet);
    // What the second saw of the first while it stood by is stale by then, and must not count.
    for (const endsAt = Date.now() + 8_000; Date.now() < endsAt; ) await storm.taps(10);
    const third = await fleet.start({ RELEASE: 'third' });
    await third.waitForEvent('LOCK_ACQUIRED');
    await storm.taps(80);
    await expectSoundHistory(fleet, await storm.stop());
    expect(fleet.lines().filter(({ reason_code }) => reason_code === 'PASSIVE_REJECT')).toEqual([]);
  },
  testLimitMs,
);
