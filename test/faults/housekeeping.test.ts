// Housekeeping is done on time however often the process is restarted, once for all instances, and again soon after it
// failed.
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { type Program, type Surroundings, startProgram, startSurroundings } from '../support/process.ts';

const chores = [
  'clean the queue',
  'compare the books',
  'delete what is old',
  'erase from the journal',
  'keep the journal',
];

test(
  'a process that is restarted more often than housekeeping is due does all of it, and not before',
  async () => {
    await using surroundings = await startSurroundings();
    const { environment } = surroundings;
    await letLive(surroundings, await startProgram(environment));
    expect(await doneIn(surroundings)).toEqual([]);
    // Each lived for 50 minutes.
    await timePasses(surroundings, 50);
    await letLive(surroundings, await startProgram(environment));
    expect(await doneIn(surroundings)).toEqual([]);
    await timePasses(surroundings, 50);
    await using third = await startProgram(environment);
    await waitFor(
      'all of it',
      async () => (await doneIn(surroundings)).length === chores.length || undefined,
      () => third.output.join('\n'),
      patienceMs,
    );
    expect(await doneIn(surroundings)).toEqual(chores);
    const [again] = await surroundings.database.query<{ due: boolean }>(
      `select bool_and(due_at between now() + interval '50 minutes' and now() + interval '60 minutes') as due from housekeeping`,
    );
    expect(again).toEqual({ due: true });
  },
  testLimitMs,
);

test(
  'what fails is logged, is due again within minutes, and keeps nothing else from being done',
  async () => {
    await using surroundings = await startSurroundings();
    const { environment, database } = surroundings;
    await letLive(surroundings, await startProgram(environment));
    await timePasses(surroundings, 61);
    // The books cannot be read.
    await database.query('alter table ledger rename to ledger_away');
    await using program = await startProgram(environment);
    const warning = await program.waitForLine(({ operation }) => operation === 'compare the books');
    expect(warning).toMatchObject({ name: 'SYSTEM_WARNING', reason_code: 'DB_ERROR' });
    await waitFor(
      'the rest of it',
      async () => (await doneIn(surroundings)).length === chores.length - 1 || undefined,
      undefined,
      patienceMs,
    );
    expect(await doneIn(surroundings)).not.toContain('compare the books');
    const [retry] = await database.query<{ due: boolean }>(
      `select due_at between now() and now() + interval '5 minutes' as due from housekeeping where name = 'compare the books'`,
    );
    expect(retry).toEqual({ due: true });
    await program.stop();

    await database.query('alter table ledger_away rename to ledger');
    await timePasses(surroundings, 6);
    await using _next = await startProgram(environment);
    await waitFor(
      'the books to be compared',
      async () => (await doneIn(surroundings)).includes('compare the books') || undefined,
      undefined,
      patienceMs,
    );
  },
  testLimitMs,
);

/** Until it has written down what is due. */
async function letLive({ database }: Surroundings, program: Program): Promise<void> {
  await waitFor(
    'the plan',
    async () => (await database.query('select 1 from housekeeping')).length === chores.length || undefined,
    () => program.output.join('\n'),
    patienceMs,
  );
  await program.stop();
}

async function timePasses({ database }: Surroundings, minutes: number): Promise<void> {
  await database.query(`update housekeeping set due_at = due_at - $1 * interval '1 minute'`, [minutes]);
}

async function doneIn({ database }: Surroundings): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'select name from housekeeping where last_run_at is not null order by name',
  );
  return rows.map(({ name }) => name);
}
