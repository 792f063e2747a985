// An instance that freezes in the middle of a handler, while its call to the Bot API hangs: another one takes the chat
// over and goes on. What the first one had begun is no longer its to do when it thaws.
import { expect, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Fleet, type Instance, startFleet } from '../support/fleet.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';

const patience = { deadlineMs: patienceMs };

test.each([
  { who: 'a member of a cluster', environment: { INSTANCE_MODE: 'cluster' } },
  { who: 'a former ACTIVE instance', environment: {} },
])(
  '$who that thaws after its chat was taken over shows nothing of what it had begun',
  async ({ environment }) => {
    await using fleet = await startFleet({ environment });
    const { user, start, help, picker: frozen } = await hangHelp(fleet);
    frozen.signal('SIGSTOP');
    const back = await goOnElsewhere(user, help);

    // What hung is broken off, as networks do that have forgotten a connection: an edit may be tried again then.
    frozen.proxies.telegram.cut();
    frozen.signal('SIGCONT');
    // Whoever has only the cid of the tap reads there why its first attempt has no end.
    await expectLeft(frozen, help);
    await frozen.waitForEvent('LOCK_LOST');

    expectHelpOnce(fleet, user);
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
    const { user, start, help, picker: stopped } = await hangHelp(fleet);
    stopped.leaveRotation();
    stopped.signal('SIGTERM');
    const back = await goOnElsewhere(user, help);

    stopped.proxies.telegram.cut();
    await expectLeft(stopped, help);
    expect(await stopped.exited).toMatchObject({ signal: 'SIGTERM' });

    expectHelpOnce(fleet, user);
    await expectSoundHistory(fleet, [start, help, back], { cluster: 'INSTANCE_MODE' in environment });
  },
  testLimitMs,
);

/** A user has tapped Help, and the call that would show it hangs in the instance that picked the tap. */
async function hangHelp(fleet: Fleet) {
  const instances = [await fleet.start(), await fleet.start()];
  const { telegram } = fleet.surroundings;
  const user = fleet.surroundings.user();
  const start = user.start();
  await user.waitForMessage(/What shall we create/, patience);

  telegram.failNext({ kind: 'hang', method: 'editMessageText' });
  const help = user.click('❓ Help');
  await waitFor('the edit to hang', () => telegram.callCount('editMessageText') === 1 || undefined);
  return { user, start, help, picker: pickerOf(instances, help.updateId) };
}

/** Another instance shows the help, and the user leaves it again. */
async function goOnElsewhere(user: SandboxUser, help: SentUpdate): Promise<SentUpdate> {
  await user.waitForMessage(/How it works/, { ...patience, after: help });
  const back = user.click('◀️ Back');
  await user.waitForMessage(/What shall we create/, { ...patience, after: back });
  return back;
}

async function expectLeft(instance: Instance, help: SentUpdate): Promise<void> {
  const left = await instance.waitForLine(
    ({ name, update_id }) => name === 'SYSTEM_WARNING' && update_id === help.updateId,
  );
  expect(left).toMatchObject({ operation: 'dispatch update', error_type: 'LEASE_LOST' });
}

function expectHelpOnce(fleet: Fleet, user: SandboxUser): void {
  const done = fleet.surroundings.telegram.calls('editMessageText', { ok: true });
  expect(done.filter(({ payload }) => /How it works/.test(String(payload.text)))).toHaveLength(1);
  expect(user.lastMessage()?.text).toMatch(/What shall we create/);
}

function pickerOf(instances: readonly Instance[], updateId: number): Instance {
  return (
    instances.find(({ lines }) =>
      lines.some(({ name, update_id }) => name === 'QUEUE_PICK' && update_id === updateId),
    ) ?? expect.fail('nobody has picked it')
  );
}
