// A task that is looked at may have no job any more: another one, which ended at once because this look was under way,
// has taken its place.
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { reviveStranded } from '../../src/storage/job-queue.ts';
import { openPipeline } from '../support/pipeline.ts';

test('a task whose look takes long has not been left by everybody, with or without a job', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let opening = 0;
  await using given = await openPipeline({
    inputFiles: {
      async open() {
        opening += 1;
        await held;
        throw new Error('The file is gone');
      },
    },
  });
  const database = given.database.connect(1);
  const revived = () =>
    reviveStranded(database, {
      instanceId: 'test',
      workedHere: [],
      tasksWorkedHere: given.pipeline.underWay(),
      patienceMs: 1_000,
      pickLimitMs: 1_000,
    });

  try {
    const taskId = await given.order('recraft/crisp-upscale', {
      image: [{ from: 'telegram', fileId: 'a-file', mimeType: 'image/png', bytes: 3 }],
    });
    const look = given.workDue();
    await expect.poll(() => opening).toBe(1);
    expect(given.pipeline.underWay()).toEqual([taskId]);
    // Its job is gone.
    await given.database.query('delete from graphile_worker._private_jobs');
    expect(await revived()).toBe(0);
    release();
    await look;
    await given.database.query('delete from graphile_worker._private_jobs');
    expect(await revived()).toBe(1);
  } finally {
    release();
    await database.stop();
  }
});

test('a task whose look never ends is worked by the next job, and its money is not held for good', async () => {
  let opening = 0;
  await using given = await openPipeline({
    timings: { lookLimitMs: 200 },
    inputFiles: {
      open() {
        opening += 1;
        if (opening === 1) return new Promise(() => undefined);
        throw new AppError({ code: 'INPUT_FILE_GONE', message: 'The file is gone' });
      },
    },
  });
  const taskId = await given.order('recraft/crisp-upscale', {
    image: [{ from: 'telegram', fileId: 'a-file', mimeType: 'image/png', bytes: 3 }],
  });
  void given.workDue();
  await expect.poll(() => opening).toBe(1);
  // As many as come, as from callbacks and from looks at stranded work.
  await Promise.all([given.pipeline.advance(taskId), given.pipeline.advance(taskId)]);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({
    state: 'failed',
    reason_code: 'FILE_UNREACHABLE',
    held: 0,
  });
});
