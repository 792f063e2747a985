// An instance that freezes in the middle of a handler, while its call to the Bot API hangs: another one takes the chat
// over and goes on. What the first one had begun is no longer its to do when it thaws.
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Instance, startFleet } from '../support/fleet.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';

const patience = { deadlineMs: patienceMs };

test.each([
  { who: 'a member of a cluster', environment: { INSTANCE_MODE: 'cluster' } },
  { who: 'a former ACTIVE instance', environment: {} },
])(
  '$who that thaws after its chat was taken over shows nothing of what it had begun',
  async ({ environment }) => {
    await using fleet = await startFleet({ environment });
    const instances = [await fleet.start(), await fleet.start()];
    const { telegram } = fleet.surroundings;
    const user = fleet.surroundings.user();
    const start = user.start();
    await user.waitForMessage(/What shall we create/, patience);

    telegram.failNext({ kind: 'hang', method: 'editMessageText' });
    const help = user.click('❓ Help');
    await waitFor('the edit to hang', () => telegram.callCount('editMessageText') === 1 || undefined);
    const frozen = pickerOf(instances, help.updateId);
    frozen.signal('SIGSTOP');
    await user.waitForMessage(/How it works/, { ...patience, after: help });
    const back = user.click('◀️ Back');
    await user.waitForMessage(/What shall we create/, { ...patience, after: back });

    // What hung is broken off, as networks do that have forgotten a connection: an edit may be tried again then.
    frozen.proxies.telegram.cut();
    frozen.signal('SIGCONT');
    // Whoever has only the cid of the tap reads there why its first attempt has no end.
    const left = await frozen.waitForLine(
      ({ name, update_id }) => name === 'SYSTEM_WARNING' && update_id === help.updateId,
    );
    expect(left).toMatchObject({ operation: 'dispatch update', error_type: 'LEASE_LOST' });
    await frozen.waitForEvent('LOCK_LOST');

    const done = telegram.calls('editMessageText', { ok: true });
    expect(done.filter(({ payload }) => /How it works/.test(String(payload.text)))).toHaveLength(1);
    expect(user.lastMessage()?.text).toMatch(/What shall we create/);
    const again = user.click('❓ Help');
    await user.waitForMessage(/How it works/, { ...patience, after: again });
    await expectSoundHistory(fleet, [start, help, back, again], { cluster: 'INSTANCE_MODE' in environment });
  },
  testLimitMs,
);

test.each([
  { who: 'a member of a cluster', environment: { INSTANCE_MODE: 'cluster' } },
  { who: 'the ACTIVE instance', environment: {} },
])(
  '$who that is stopped while its call hangs does not try it again once another one has gone on',
  async ({ environment }) => {
    await using fleet = await startFleet({
      environment: { ...environment, UPDATE_DEADLINE_SECONDS: '30', SHUTDOWN_GRACE_SECONDS: '90' },
    });
    const instances = [await fleet.start(), await fleet.start()];
    const { telegram } = fleet.surroundings;
    const user = fleet.surroundings.user();
    const start = user.start();
    await user.waitForMessage(/What shall we create/, patience);

    telegram.failNext({ kind: 'hang', method: 'editMessageText' });
    const help = user.click('❓ Help');
    await waitFor('the edit to hang', () => telegram.callCount('editMessageText') === 1 || undefined);
    const stopped = pickerOf(instances, help.updateId);
    stopped.leaveRotation();
    stopped.signal('SIGTERM');
    await user.waitForMessage(/How it works/, { ...patience, after: help });
    const back = user.click('◀️ Back');
    await user.waitForMessage(/What shall we create/, { ...patience, after: back });

    stopped.proxies.telegram.cut();
    const left = await stopped.waitForLine(
      ({ name, update_id }) => name === 'SYSTEM_WARNING' && update_id === help.updateId,
    );
    expect(left).toMatchObject({ operation: 'dispatch update', error_type: 'LEASE_LOST' });
    expect(await stopped.exited).toMatchObject({ signal: 'SIGTERM' });

    const done = telegram.calls('editMessageText', { ok: true });
    expect(done.filter(({ payload }) => /How it works/.test(String(payload.text)))).toHaveLength(1);
    expect(user.lastMessage()?.text).toMatch(/What shall we create/);
    await expectSoundHistory(fleet, [start, help, back], { cluster: 'INSTANCE_MODE' in environment });
  },
  testLimitMs,
);

function pickerOf(instances: readonly Instance[], updateId: number): Instance {
  return (
    instances.find(({ lines }) =>
      lines.some(({ name, update_id }) => name === 'QUEUE_PICK' && update_id === updateId),
    ) ?? expect.fail('nobody has picked it')
  );
}
