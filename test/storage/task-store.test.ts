import { expect, test } from 'vitest';
import { createTaskStore } from '../../src/storage/task-store.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

test('a look that is scheduled for later does not put off the look that a callback asks for', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  try {
    const tasks = createTaskStore(database, await takeLease(database));
    await database.query(`insert into users (chat_id, language) values (1, 'en')`);
    await database.transaction(transaction =>
      tasks.create(
        transaction,
        {
          id: 'task',
          chatId: 1,
          draft: 'draft',
          revision: 1,
          modelId: 'z-image',
          modelKey: 'zimage',
          modelVersion: '1',
          values: {},
          quote: { kopecks: 0, credits: 0 },
          callbackToken: 'token',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          messageId: undefined,
        },
        60_000,
      ),
    );
    await tasks.workCallbacks('task');
    await tasks.schedule('task', 60_000);

    const { rows } = await database.query('select 1 from graphile_worker.jobs where run_at <= now()');
    expect(rows).toHaveLength(1);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});
