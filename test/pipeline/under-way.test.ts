// A task that is looked at may have no job any more: another one, which ended at once because this look was under way,
// has taken its place.
import { expect, test } from 'vitest';
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
