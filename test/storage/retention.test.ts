import { expect, onTestFinished, test } from 'vitest';
import { createRetention } from '../../src/storage/retention.ts';
import { createTestDatabase } from '../support/database.ts';

test('what has ended a week ago is deleted; what has not, and dead letters, stay', async () => {
  const testDatabase = await createTestDatabase();
  onTestFinished(() => testDatabase.drop());
  const database = testDatabase.connect(2);
  onTestFinished(() => database.stop());
  await database.query(
    `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, outcome, finished_at)
     select 1, id, 1, 'message', '{}', '', outcome, now() - days * interval '1 day'
     from (values (1, 'accepted', 8), (2, 'accepted', 6), (3, 'dead_letter', 400), (4, null, null), (5, 'failed', 30))
       as row (id, outcome, days)`,
  );
  // More than one statement deletes.
  await database.query(
    `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, outcome, finished_at)
     select 2, id, 2, 'message', '{}', '', 'noop', now() - interval '9 days' from generate_series(1, 6000) as id`,
  );
  const retention = createRetention(database);
  expect(await retention.sweep()).toBe(6_002);
  expect(await testDatabase.query('select update_id::int from updates order by update_id')).toEqual([
    { update_id: 2 },
    { update_id: 3 },
    { update_id: 4 },
  ]);
  expect(await retention.sweep()).toBe(0);
});
