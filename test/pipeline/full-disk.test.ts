// Files of users pass over the disk of the machine. One that does not take them is a fault of ours.
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { openPipeline } from '../support/pipeline.ts';

test('an order whose file finds no disk is tried again, then ended as a fault of ours, with its money back', async () => {
  await using given = await openPipeline({
    timings: { submitWindowMs: 300 },
    inputFiles: {
      open: () =>
        Promise.reject(new AppError({ code: 'SPOOL_FAILED', message: 'The folder took no file: ENOSPC' })),
    },
  });
  const taskId = await given.order('recraft/crisp-upscale', {
    image: [{ from: 'telegram', fileId: 'a-file', mimeType: 'image/png', bytes: 3 }],
  });
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({
    state: 'failed',
    reason_code: 'INTERNAL_ERROR',
    held: 0,
  });
  expect(given.recorded.lines.find(({ name }) => name === 'TASK_FAILED')).toMatchObject({
    error_type: 'SPOOL_FAILED',
  });
  expect(given.alarms).toContain('The folder took no file: ENOSPC');
  expect(given.sent(taskId)).toEqual(['failure']);
});
