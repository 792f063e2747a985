// The part of a process that works may die while the process, its lock and its HTTP server live. Then it is begun
// anew, or somebody else works; nobody is healthy and idle.
import { expect, test } from 'vitest';
import { endSessions } from '../support/blip.ts';
import { expectSoundHistory, startFleet } from '../support/fleet.ts';
import { startStorm } from '../support/storm.ts';

const testTimeoutMs = 120_000;
const blips = 15;

test(
  'work goes on when the sessions of the bot end again and again, all but the one with the lock',
  async () => {
    await using fleet = await startFleet();
    await fleet.start();
    await fleet.start();
    const storm = await startStorm(fleet, 3);
    for (let blip = 0; blip < blips; blip += 1) {
      await storm.taps(6);
      expect(await endSessions(fleet.surroundings.database)).toBeGreaterThan(0);
    }
    await storm.taps(10);
    await expectSoundHistory(fleet, await storm.stop());
  },
  testTimeoutMs,
);
