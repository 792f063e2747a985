// A tap that an instance had picked when it froze: the instance still has the lock, or its membership, and nobody
// else may work the tap yet. Whoever sees that the instance is late ends the spinner, before Telegram gives it up.
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import { expectSoundHistory, type Instance, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';

/** Telegram shows a spinner for so long. */
const spinnerMs = 30_000;

test.each([
  { of: 'the ACTIVE instance', environment: {} },
  { of: 'a member of a cluster', environment: { INSTANCE_MODE: 'cluster' } },
])(
  'a tap that $of had picked when it froze is answered by another one in time, and worked later',
  async ({ environment }) => {
    // Succeeded so late that the answer cannot be the work of a successor.
    await using fleet = await startFleet({ environment: { ...environment, STALE_IDLE_SECONDS: '60' } });
    const instances = [await fleet.start(), await fleet.start()];
    const { telegram, database } = fleet.surroundings;
    const user = fleet.surroundings.user();
    const start = user.start();
    await user.waitForMessage(/What shall we create/);

    telegram.failNext({ kind: 'hang', method: 'answerCallbackQuery' });
    telegram.failNext({ kind: 'hang', method: 'editMessageText' });
    const tap = user.click('❓ Help');
    await waitFor('both calls to hang', () => telegram.callCount('editMessageText') === 1 || undefined);
    await waitFor('both calls to hang', () => telegram.callCount('answerCallbackQuery') === 1 || undefined);
    const picker = pickerOf(instances, tap.updateId);
    picker.signal('SIGSTOP');

    const answer = await user.answerOf(tap);
    expect(answer.text).toBe('⏳ Got it, a few more seconds');
    const [{ received_at: receivedAt } = expect.fail('not stored')] = await database.query<{
      received_at: Date;
    }>('select received_at from updates where update_id = $1', [tap.updateId]);
    expect(answer.at - receivedAt.getTime()).toBeLessThan(spinnerMs);
    // An instance that works is given its time.
    expect(answer.at - receivedAt.getTime()).toBeGreaterThanOrEqual(8_000);
    const other = instances.find(instance => instance !== picker) ?? expect.fail('nobody else');
    const toast = await other.waitForEvent('ANSWER_CALLBACK_QUERY');
    expect(toast).toMatchObject({
      result: 'accepted',
      update_id: tap.updateId,
      event_type: 'callback_query',
      cid: picker.lines.find(({ name, update_id }) => name === 'QUEUE_PICK' && update_id === tap.updateId)
        ?.cid,
      latency_ms: expect.any(Number),
      reason_detail: expect.stringContaining('late'),
    });

    picker.leaveRotation();
    picker.signal('SIGKILL');
    await user.waitForMessage(/How it works/);
    await expectSoundHistory(fleet, [start, tap], { cluster: 'INSTANCE_MODE' in environment });
    expect(telegram.calls('answerCallbackQuery').filter(({ ok }) => ok)).toHaveLength(1);
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
