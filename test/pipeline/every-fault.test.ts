// Every call of the supplier fails in every way, at every step of a task: an error of its server, no answer, one that is
// cut, a page of a gateway, JSON that is none of its own. Whatever fails, the task has a next look and comes to its end,
// and once the supplier is well again it goes on from where it was.
import { describe, expect, test } from 'vitest';
import type { Reply } from '../kie/scripted-host.ts';
import { patienceMs } from '../support/patience.ts';
import { openPipeline, type PipelineUnderTest } from '../support/pipeline.ts';

const failures: readonly (readonly [string, Reply])[] = [
  ['an error of its server', { code: 500, httpStatus: 500 }],
  ['an error in a good envelope', { code: 500 }],
  ['a refusal for its load', { code: 429, httpStatus: 429 }],
  ['no answer', 'hang'],
  ['a connection that is cut', 'reset'],
  ['an answer that is cut', 'break-off'],
  ['a page of a gateway', 'garble'],
  ['data that is null', { code: 200, data: null }],
  ['data of another kind', { code: 200, data: ['?'] }],
];
const result = {
  code: 200,
  data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
};
const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };
const upscale = {
  image: [
    { from: 'telegram' as const, fileId: 'a-file', media: 'image' as const, mimeType: 'image/png', bytes: 3 },
  ],
};
const stored = { code: 200, data: { downloadUrl: 'https://files.example/input.png' } };
const accepted = { code: 200, data: { taskId: 'one' } };
/** Ended by its limits within two seconds. */
const timings = { waitLimitMs: 1_200, notFoundLimitMs: 600, unknownOutcomeLimitMs: 900, submitWindowMs: 900 };

/** A busy machine answers by then; what is not answered is asked for again. */
const answeredMs = 1_500;

async function expectSettled(given: PipelineUnderTest, taskId: string, state: string): Promise<void> {
  expect(await given.endOf(taskId)).toMatchObject({ state, settlements: 1, held: 0 });
  expect(given.alarms).toEqual([]);
}

describe.each(failures)('%s', (_name, failure) => {
  test.concurrent('to every upload ends the task, and nothing is ordered', async () => {
    await using given = await openPipeline({ timings });
    given.files.otherwise(failure);
    given.api.otherwise(accepted);
    const taskId = await given.order('recraft/crisp-upscale', upscale);
    await given.settle(taskId);
    await expectSettled(given, taskId, 'failed');
    expect(given.api.received()).toEqual([]);
  });

  test.concurrent('to one upload delays it', async () => {
    await using given = await openPipeline({
      timeoutMs: answeredMs,
      timings: { submitWindowMs: patienceMs },
    });
    given.files.next(failure);
    given.files.otherwise(stored);
    given.api.next(accepted);
    given.api.otherwise(result);
    const taskId = await given.order('recraft/crisp-upscale', upscale);
    await given.settle(taskId);
    await expectSettled(given, taskId, 'succeeded');
  });

  test.concurrent('to every order ends the task', async () => {
    await using given = await openPipeline({ timings, submitTimeoutMs: 300 });
    given.api.otherwise(failure);
    const taskId = await given.order('z-image', zImage);
    await given.settle(taskId);
    await expectSettled(given, taskId, 'failed');
  });

  test.concurrent('to every question ends the task', async () => {
    await using given = await openPipeline({ timings });
    given.api.next(accepted);
    given.api.otherwise(failure);
    const taskId = await given.order('z-image', zImage);
    await given.settle(taskId);
    await expectSettled(given, taskId, 'failed');
  });

  test.concurrent('to some questions delays the task', async () => {
    await using given = await openPipeline({
      timeoutMs: answeredMs,
      timings: { waitLimitMs: patienceMs, notFoundLimitMs: patienceMs },
    });
    given.api.next(accepted, ...Array(6).fill(failure));
    given.api.otherwise(result);
    const taskId = await given.order('z-image', zImage);
    await given.settle(taskId);
    await expectSettled(given, taskId, 'succeeded');
  });

  test.concurrent('to the questions after a late callback delays the result that it announces', async () => {
    await using given = await openPipeline({
      timeoutMs: answeredMs,
      timings: { waitLimitMs: 50, lateLimitMs: 60_000, poll: [{ untilMs: Infinity, everyMs: 20 }] },
    });
    given.api.next(accepted);
    given.api.otherwise({ code: 200, data: { state: 'generating' } });
    const taskId = await given.order('z-image', zImage);
    await given.settle(taskId);
    expect(await given.endOf(taskId)).toMatchObject({ state: 'failed', reason_code: 'DOWNSTREAM_TIMEOUT' });

    given.api.next(...Array(6).fill(failure));
    given.api.otherwise(result);
    await given.callbacks.save(taskId, { vendorTaskId: 'one', isFinal: true });
    await given.callbacks.wake(taskId);
    await given.settleUntil(taskId, ({ state }) => state === 'succeeded');
    // Its money had gone back: a late result is free.
    await expectSettled(given, taskId, 'succeeded');
    expect(given.sent(taskId)).toEqual(['failure', 'result']);
    expect(await given.callbacks.pending(taskId)).toEqual([]);
  });
});
