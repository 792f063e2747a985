// The database of a command: one that says nothing is told in a sentence, and waited for within limits.
import { expect, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { withDatabase } from '../../src/cli/database.ts';
import { createTestDatabase } from '../support/database.ts';

test('a database that falls silent in the middle of a command ends it, in one sentence', async () => {
  const database = await createTestDatabase();
  try {
    await using proxy = await startPostgresProxy(database.url);
    const command = withDatabase(
      { environment: { DATABASE_URL: proxy.url } },
      async ({ query }) => {
        await query('select 1');
        proxy.setPassage({ kind: 'mute' }, { to: 'open' });
        await query('select 2');
      },
      1_000,
    );
    await expect(command).rejects.toMatchObject({
      code: 'DATABASE_ERROR',
      message: 'The database of DATABASE_URL does not answer any more.',
    });
  } finally {
    await database.drop();
  }
});
