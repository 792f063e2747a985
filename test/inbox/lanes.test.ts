// Which jobs of lanes count as done: graphile-worker deletes those that end well.
import { expect, test } from 'vitest';
import { createLanes } from '../../src/inbox/lanes.ts';
import { recordTelemetry } from '../support/telemetry.ts';

test('a job that is taken where another instance is in charge fails, so that it is there for that one', async () => {
  let isActive = true;
  const picks: number[] = [];
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      traceparentOf: () => expect.fail('nobody asks'),
      finish: () => expect.fail('nothing ends here'),
      depth: () => expect.fail('nobody counts'),
      async pick(lane) {
        picks.push(lane);
        return undefined;
      },
    },
    inbox: { settled: () => undefined },
    followUps: { work: () => expect.fail('nothing is left to be done') },
    handler: { open: () => expect.fail('there is nothing to open') },
    telemetry: recordTelemetry().telemetry,
    instanceId: 'instance-1',
    lease: () => ({ name: 'test', epoch: 1 }),
    onPick: () => expect.fail('nothing was picked'),
    isActive: () => isActive,
    isShared: false,
  });
  await lanes.work(7);
  expect(picks).toEqual([7]);
  isActive = false;
  await expect(lanes.work(7)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(picks).toEqual([7]);
});
