// DATABASE_URL leads to a session pooler that refuses settings at the login, as PgBouncer does by itself, and
// LOCK_DATABASE_URL to Postgres: the bot starts and works with nothing to be set at the pooler.
import { expect, test } from 'vitest';
import { startProgram, startSurroundings } from '../support/process.ts';
import { startStrictPooler } from '../support/strict-pooler.ts';

test('a bot behind a strict pooler works, with the lock past it', async () => {
  await using surroundings = await startSurroundings();
  await using pooler = await startStrictPooler(surroundings.database.url);
  await using program = await startProgram({
    ...surroundings.environment,
    DATABASE_URL: pooler.url,
    LOCK_DATABASE_URL: surroundings.database.url,
  });
  const user = surroundings.user();
  await user.waitForMessage(/What shall we create/, { after: user.start(), deadlineMs: 60_000 });
  expect(program.lines.filter(({ reason_code: reason }) => reason === 'DB_ERROR')).toEqual([]);
});
