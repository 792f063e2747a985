// What is shown of a running task: one message, as long as it is there, and never instead of the end.
import { expect, test, vi } from 'vitest';
import { startTelegramSandbox } from '../../sandbox/telegram/index.ts';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { createProgressBoard } from '../../src/delivery/progress-board.ts';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { patienceMs } from '../support/patience.ts';
import { openPipeline } from '../support/pipeline.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };
const accepted = { code: 200, data: { taskId: 'one' } };
const running = (progress: number) => ({ code: 200, data: { state: 'generating', progress } });
const result = {
  code: 200,
  data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
};
const patient = { waitLimitMs: patienceMs, notFoundLimitMs: patienceMs };

test('a user who has deleted the message is not sent another one for each step', async () => {
  const telegram = await startTelegramSandbox();
  const user = telegram.user({ started: true });
  const { telemetry } = recordTelemetry();
  const api = createTelegramApi({ token: new Secret(telegram.token), apiRoot: telegram.apiRoot, telemetry });
  const board = createProgressBoard({
    telegram: api,
    messages: { showsTask: async () => true },
    catalogue: createCatalogue(),
    texts: createTexts(),
  });
  await using given = await openPipeline({
    timings: patient,
    board: { show: (task, percent) => board.show({ ...task, chatId: user.chatId }, percent) },
  });
  given.api.next(accepted, running(10), running(20), running(40), running(80));
  given.api.otherwise(result);
  // Its message 7 was deleted.
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  expect(user.messages()).toEqual([]);
  expect(telegram.calls('editMessageText')).toHaveLength(1);
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded' });
  await api.stop();
  await telegram.stop();
});

test('a report of progress that arrives after the end is followed by the end once more', async () => {
  const showing = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  await using given = await openPipeline({
    timings: patient,
    board: {
      async show() {
        showing.resolve();
        await ended.promise;
        return 'unknown';
      },
    },
  });
  given.api.next(accepted);
  given.api.otherwise(running(50));
  const taskId = await given.order('z-image', zImage);
  await given.workDue();
  await given.database.query(
    `insert into messages (chat_id, message_id, screen_id, screen_data)
     values (1, 7, 'RESULT', jsonb_build_object('task', $1::text, 'model', 'zimage'))`,
    [taskId],
  );
  await given.tasks.schedule(taskId, 0);
  const look = given.workDue();
  await showing.promise;
  // Another instance hears of the result, delivers it, and says so in the message.
  await given.database.query(`update tasks set state = 'succeeded' where id = $1`, [taskId]);
  await given.database.query(
    `insert into deliveries (task_id, kind, position, url, message_id, finished_at)
     values ($1, 'result', 1, 'https://a.example/1', 8, now())`,
    [taskId],
  );
  ended.resolve();
  await look;
  await vi.waitFor(async () => {
    await given.workDue();
    expect(given.closed).toContain(taskId);
  }, patienceMs);
});

test('looks at one task follow each other, so that the end waits for a report of progress', async () => {
  const steps: string[] = [];
  const released = Promise.withResolvers<void>();
  await using given = await openPipeline({
    timings: patient,
    board: {
      async show() {
        steps.push('progress begins');
        await released.promise;
        steps.push('progress ends');
        return 'shown';
      },
    },
  });
  given.api.next(accepted, running(50));
  given.api.otherwise(result);
  const taskId = await given.order('z-image', zImage);
  await given.workDue();
  await given.tasks.schedule(taskId, 0);
  const look = given.workDue();
  await vi.waitFor(() => expect(steps).toEqual(['progress begins']), patienceMs);
  await given.callbacks.wake(taskId);
  const end = given.workDue();
  await vi.waitFor(
    async () =>
      expect(
        await given.database.query(`select 1 from graphile_worker.jobs where key = 'callback:' || $1`, [
          taskId,
        ]),
      ).toEqual([]),
    patienceMs,
  );
  expect(given.sent(taskId)).toEqual([]);
  released.resolve();
  await Promise.all([look, end]);
  expect(steps).toEqual(['progress begins', 'progress ends']);
  expect(given.sent(taskId)).toEqual(['result']);
});

test('a job that comes during a look at its task looks after it, also where that look fails', async () => {
  const showing = Promise.withResolvers<void>();
  const failing = Promise.withResolvers<void>();
  await using given = await openPipeline({
    timings: patient,
    board: {
      async show() {
        showing.resolve();
        await failing.promise;
        throw new AppError({ code: 'DATABASE_TIMEOUT', message: 'no answer' });
      },
    },
  });
  given.api.next(accepted, running(50));
  given.api.otherwise(result);
  const taskId = await given.order('z-image', zImage);
  await given.workDue();
  const first = given.pipeline.advance(taskId);
  await showing.promise;
  const second = given.pipeline.advance(taskId);
  failing.resolve();
  await expect(first).rejects.toThrow('no answer');
  await second;
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1, held: 0 });
});
