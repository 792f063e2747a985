// What a storm of chaos excuses: only instances that a fault keeps from working. Where a way around it is the bot's to
// find, nothing is excused, or the law that nothing is healthy and idle would not see what it is for.
import { expect, test } from 'vitest';
import type { FaultName } from '../../src/sandbox/chaos/faults.ts';
import type { Ground } from '../../src/sandbox/chaos/ground.ts';
import { startStorm } from '../../src/sandbox/chaos/storm.ts';
import { waitFor } from '../support/bot.ts';

test.for([
  ['freeze', true],
  ['stdout-blocked', false],
  ['mute-third', false],
] as const)('while %s lasts, its instance is excused: %s', async ([name, isExcused]) => {
  const storm = strike(name);
  const fault = await waitFor('the fault', () => storm.done[0]);
  expect([fault.name, fault.to, storm.isStruck({ number: 1 })]).toEqual([name, undefined, isExcused]);
  expect(storm.isStruck({ number: 2 })).toBe(false);
  storm.stop();
  await storm.over;
  expect(storm.done).toMatchObject([{ name, to: expect.any(Number), failure: undefined }]);
});

/** A storm whose one fault begins at once and lasts. */
function strike(name: FaultName): ReturnType<typeof startStorm> {
  const nothing = (): void => undefined;
  const slot = {
    number: 1,
    signal: nothing,
    readOutput: nothing,
    proxies: { postgres: { setPassage: nothing, cut: nothing } },
  };
  return startStorm({
    // SAFETY: the faults of this test touch nothing else.
    ground: { slots: [slot] } as unknown as Ground,
    plan: [{ number: 1, atMs: 0, durationMs: 600_000, name, instance: 1, seed: 1 }],
    onChange: nothing,
  });
}
