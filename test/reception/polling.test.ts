// A poll as it can go wrong at Telegram: one that hangs is given up soon after it should have ended, and somebody else
// who polls is met with pauses, not with a race.
import { expect, test } from 'vitest';
import { startTelegramSandbox } from '../../sandbox/telegram/index.ts';
import { createInboxDepth } from '../../src/inbox/inbox-depth.ts';
import { createRefusals } from '../../src/otel/refusals.ts';
import { startPolling } from '../../src/reception/polling.ts';
import { Secret } from '../../src/secret.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { waitFor } from '../support/bot.ts';
import { patienceMs } from '../support/patience.ts';
import { recordTelemetry } from '../support/telemetry.ts';

test('a poll that hangs is given up soon after its time, and the next one brings what came meanwhile', async () => {
  await using scene = await createScene({ pollSeconds: 1, graceSeconds: 1 });
  scene.telegram.failNext({ kind: 'hang', method: 'getUpdates' });
  scene.start();
  await waitFor('a poll', () => scene.telegram.callCount('getUpdates') || undefined);
  const startedAt = performance.now();
  const { updateId } = scene.telegram.user().start();
  await waitFor('the update', () => scene.taken.includes(updateId) || undefined, undefined, patienceMs);
  expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  expect(scene.lines[0]).toMatchObject({
    operation: 'getUpdates',
    error_type: 'TIMEOUT',
    error_message: 'A poll of 1 s had no answer after 2 s',
  });
});

test('polls that somebody else ends are logged as conflicts, and come more seldom', async () => {
  await using scene = await createScene({ pollSeconds: 50, graceSeconds: 10 });
  scene.start();
  for (let rivalry = 1; rivalry <= 3; rivalry += 1) {
    await waitFor('a poll', () => scene.telegram.isPolled || undefined, undefined, patienceMs);
    await Promise.all([
      scene.pollAsRival(),
      waitFor('a conflict', () => scene.conflicts.length === rivalry || undefined, undefined, patienceMs),
    ]);
  }
  expect(scene.conflicts[0]?.description).toContain('terminated by other getUpdates request');
  const pauses = scene.conflicts.map(({ at }, index) => at - (scene.conflicts[index - 1]?.at ?? at));
  // The pause after a conflict is half a second, then twice as long each time.
  expect(pauses[1]).toBeGreaterThan(450);
  expect(pauses[2]).toBeGreaterThan(950);
  expect(scene.lines).toEqual([]);
});

async function createScene(timings: { readonly pollSeconds: number; readonly graceSeconds: number }) {
  const telegram = await startTelegramSandbox();
  const { telemetry, lines } = recordTelemetry();
  const client = createTelegramApi({
    token: new Secret(telegram.token),
    apiRoot: telegram.apiRoot,
    telemetry,
  });
  const taken: number[] = [];
  const conflicts: { readonly description: string; readonly at: number }[] = [];
  let polling: ReturnType<typeof startPolling> | undefined;
  return {
    telegram,
    lines,
    taken,
    conflicts,
    start() {
      polling = startPolling({
        api: client.polling,
        intake: {
          async take({ updateId }) {
            taken.push(updateId);
            return true;
          },
        },
        depth: createInboxDepth({ count: async () => 0, max: 1_000, telemetry }),
        refusals: createRefusals(telemetry),
        telemetry,
        onConflict: description => void conflicts.push({ description, at: performance.now() }),
        timings,
      });
    },
    /** Until it is answered or ended by the next one. */
    async pollAsRival() {
      await (await fetch(`${telegram.apiRoot}/bot${telegram.token}/getUpdates?timeout=1`)).arrayBuffer();
    },
    async [Symbol.asyncDispose]() {
      await polling?.stop();
      await client.stop();
      await telegram.stop();
    },
  };
}
