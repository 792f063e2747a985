// What a start does to the database: which migrations it applies, which folders and histories it refuses, and
// what becomes of starts that meet.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate as runMigrations } from 'postgres-migrations';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

type Files = Readonly<Record<string, string>>;

const one = { '1_initial.sql': 'create table steps (step int)' };
const two = { '2_second.sql': 'insert into steps values (2)' };
const three = { '3_third.sql': 'insert into steps values (3)' };
const contract = { '3_contract_drop-steps.sql': 'drop table steps' };

/** As postgres-migrations takes it. */
const runnersLock = '-8525285245963000605';

async function folderOf(files: Files): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [fileName, content] of Object.entries(files))
    await writeFile(path.join(folder, fileName), content);
  return folder;
}

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ empty: true });
  onTestFinished(() => database.drop());
  return database;
}

async function start(database: TestDatabase, files: Files) {
  return migrate(new Secret(database.url), await folderOf(files));
}

/** The words of the MIGRATION_FAILED that the start must end with. */
async function refusalOf(starting: Promise<unknown>): Promise<string> {
  const error = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: 'MIGRATION_FAILED' });
  return error instanceof AppError ? error.message : '';
}

async function appliedNames(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(`select name from migrations where id > 0 order by id`);
  return rows.map(({ name }) => name);
}

async function connect(database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return client;
}

/** Resolves to the backend of a start that has found the runner's lock taken. */
async function waitForWaitingStart(database: TestDatabase): Promise<number> {
  return waitFor('a start that waits for the migration lock', async () => {
    const rows = await database.query<{ pid: number }>(
      `select pid from pg_stat_activity
      where datname = current_database() and state = 'idle' and query like 'SELECT pg_try_advisory_lock(%'`,
    );
    return rows[0]?.pid;
  });
}

describe('applying', () => {
  test('an empty database gets every migration in the order of the numbers, and those of graphile-worker', async () => {
    const database = await emptyDatabase();
    const files: Record<string, string> = { '1_initial.sql': 'create table c1 ()' };
    for (let number = 2; number <= 11; number += 1)
      files[`${number}_column-${number}.sql`] = `alter table c${number - 1} rename to c${number}`;

    expect(await start(database, files)).toEqual({ applied: 11, schemaVersion: 11, ahead: [] });

    expect(await appliedNames(database)).toHaveLength(11);
    await database.query('select * from c11');
    await database.query('select * from graphile_worker.jobs');
  });

  test('a second start applies only what has come since', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    expect(await start(database, { ...one, ...two })).toEqual({ applied: 1, schemaVersion: 2, ahead: [] });
    expect(await start(database, { ...one, ...two })).toEqual({ applied: 0, schemaVersion: 2, ahead: [] });
    expect(await database.query('select step from steps')).toEqual([{ step: 2 }]);
  });

  test('a migration that fails is named, keeps nothing of itself, and is run again once it is right', async () => {
    const database = await emptyDatabase();
    const wrong = '2_second.sql';
    const message = await refusalOf(
      start(database, { ...one, [wrong]: 'insert into steps values (1); select * from nowhere', ...three }),
    );
    expect(message).toContain('Migration 2_second.sql failed. Correct the file and start again.');
    expect(message).toContain('relation "nowhere" does not exist');
    expect(await appliedNames(database)).toEqual(['initial']);
    expect(await database.query('select step from steps')).toEqual([]);

    expect(await start(database, { ...one, ...two, ...three })).toMatchObject({ applied: 2 });
    expect(await database.query('select step from steps')).toEqual([{ step: 2 }, { step: 3 }]);
  });

  test('a table of the same name in somebody else’s schema is not taken for our history', async () => {
    const database = await emptyDatabase();
    await database.query('create schema storage');
    await database.query('create table storage.migrations (id integer, name text)');
    expect(await start(database, one)).toMatchObject({ applied: 1 });
    expect(await start(database, { ...one, ...two })).toMatchObject({ applied: 1 });
  });

  test('a database that cannot be reached stops the start', async () => {
    const database = await emptyDatabase();
    const elsewhere = new Secret(database.url.replace(/test_\w+/, 'test_none'));
    expect(await refusalOf(migrate(elsewhere))).toMatch(/could not be prepared.*"test_none" does not exist/);
  });
});

describe('a folder is refused, and the database left as it is,', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
  });
  afterAll(() => database.drop());

  test.each<[string, Files, string[]]>([
    [
      'for two files of one number',
      { ...one, ...two, '2_other.sql': '' },
      ['2_other.sql and 2_second.sql', 'Give the newer one the next free number'],
    ],
    [
      'for two files of one number, one of them with a leading zero',
      { ...one, ...two, '02_other.sql': '' },
      ['02_other.sql', 'without leading zeros'],
    ],
    [
      'for two files of one name',
      { ...one, ...two, '3_second.sql': '' },
      ['2_second.sql and 3_second.sql', 'Give the newer one another name'],
    ],
    [
      'for a number that is left out',
      { ...one, ...three },
      ['number 2 is missing before 3_third.sql', 'Restore its file, or number'],
    ],
    ['for a first file that is missing', two, ['number 1 is missing before 2_second.sql']],
    ['for a migration in another language', { ...one, '2_second.js': '' }, ['2_second.js']],
    ['for a migration without a number', { ...one, 'second.sql': '' }, ['second.sql is no migration']],
    ['for number 0, which is the runner’s', { '0_before.sql': '', ...one }, ['0_before.sql']],
    ['for a file that is none', { ...one, '2_second.sql.orig': '' }, ['2_second.sql.orig']],
    ['for capitals', { ...one, '2_Second.sql': '' }, ['2_Second.sql', 'in lower case']],
    [
      'for a name too long to be recorded',
      { ...one, [`2_${'a'.repeat(101)}.sql`]: '' },
      ['aaa.sql has too long a name', '100 characters'],
    ],
    ['for having no migration at all', {}, ['no migration', 'Deploy the release with its .sql files']],
  ])('%s', async (_reason, files, words) => {
    const message = await refusalOf(start(database, files));
    for (const word of words) expect(message).toContain(word);
    expect(
      await database.query(`select relname from pg_class where relname in ('migrations', 'steps')`),
    ).toEqual([]);
  });

  test('but not for a hidden file of an editor or a file system', async () => {
    const own = await emptyDatabase();
    expect(await start(own, { ...one, '.DS_Store': '' })).toMatchObject({ applied: 1 });
  });

  test('and a name as long as can be recorded is not', async () => {
    const own = await emptyDatabase();
    const longest = `2_${'a'.repeat(100)}.sql`;
    expect(await start(own, { ...one, [longest]: 'select 1' })).toMatchObject({ applied: 2 });
  });
});

describe('a history that does not fit stops the start before anything is run:', () => {
  test('an edited file', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two });
    const edited = { '2_second.sql': 'insert into steps values (22)' };
    const message = await refusalOf(start(database, { ...one, ...edited, ...three }));
    expect(message).toContain('Migration 2_second.sql was edited');
    expect(message).toContain('Restore the file as it was');
    expect(await appliedNames(database)).toEqual(['initial', 'second']);
  });

  test('a missing file, by the name it had', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two, ...three });
    const message = await refusalOf(
      start(database, { ...one, ...three, '4_fourth.sql': 'insert into steps values (4)' }),
    );
    expect(message).toContain('Migration 2_second.sql is missing');
    expect(message).toContain('Restore the file as it was');
    expect(await appliedNames(database)).toEqual(['initial', 'second', 'third']);
  });

  test('a file that came in under a lower number and pushed the others up', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two });
    const message = await refusalOf(
      start(database, {
        ...one,
        '2_late.sql': 'insert into steps values (20)',
        '3_second.sql': 'insert into steps values (2)',
      }),
    );
    expect(message).toContain('Migration 2_late.sql comes too late');
    expect(message).toContain('applied as 2_second.sql');
    expect(message).toContain('give it a number above 2');
    expect(await appliedNames(database)).toEqual(['initial', 'second']);
  });

  test('a file of a lower number than the newest that the database has no record of', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two, ...three });
    await database.query('delete from migrations where id = 2');
    const message = await refusalOf(start(database, { ...one, ...two, ...three }));
    expect(message).toContain('Migration 2_second.sql comes too late');
    expect(message).toContain('Give it a number above 3');
    expect(await database.query('select step from steps')).toEqual([{ step: 2 }, { step: 3 }]);
  });

  test('a file that was renamed', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two });
    const folder = await folderOf({ ...one, ...two });
    await rename(path.join(folder, '2_second.sql'), path.join(folder, '2_contract_second.sql'));
    const message = await refusalOf(migrate(new Secret(database.url), folder));
    expect(message).toContain('2_contract_second.sql');
    expect(message).toContain('if it was renamed, give it its name back');
  });
});

describe('a database that is ahead', () => {
  test('by expand migrations is accepted and its files are named, so that a rollback starts, and the way back up too', async () => {
    const database = await emptyDatabase();
    const newer = { ...one, ...two, ...three };
    await start(database, newer);
    expect(await start(database, one)).toEqual({
      applied: 0,
      schemaVersion: 3,
      ahead: ['2_second.sql', '3_third.sql'],
    });
    expect(await start(database, newer)).toEqual({ applied: 0, schemaVersion: 3, ahead: [] });
  });

  test('by a contract migration is refused, also when expand migrations surround it', async () => {
    const database = await emptyDatabase();
    await start(database, { ...one, ...two, ...contract, '4_fourth.sql': 'select 1' });
    const message = await refusalOf(start(database, one));
    expect(message).toContain('ahead of this release by 3_contract_drop-steps.sql');
    expect(message).toContain('Deploy a release that has this file, or restore a backup');
  });

  test('by a contract migration that this release has is not ahead', async () => {
    const database = await emptyDatabase();
    const release = { ...one, ...two, ...contract };
    await start(database, { ...release, '4_fourth.sql': 'select 1' });
    expect(await start(database, release)).toMatchObject({ ahead: ['4_fourth.sql'] });
  });

  test.each([
    ['contract', true],
    ['contract-steps', true],
    ['contracts', false],
    ['before_contract', false],
  ])('by a migration with the name %s is refused: %s', async (name, isRefused) => {
    const database = await emptyDatabase();
    await start(database, one);
    await start(database, { ...one, [`2_${name}.sql`]: 'select 1' });
    const starting = start(database, one);
    if (isRefused) expect(await refusalOf(starting)).toContain(`ahead of this release by 2_${name}.sql`);
    else expect(await starting).toMatchObject({ ahead: [`2_${name}.sql`] });
  });

  test('by a revision of graphile-worker that breaks nothing is accepted, and named', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    await database.query('insert into graphile_worker.migrations (id) values (900001)');
    expect(await start(database, one)).toMatchObject({ ahead: ['graphile-worker revision 900001'] });
  });

  test('by a breaking revision of graphile-worker is refused, and the exit code is left to the process', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    await database.query('insert into graphile_worker.migrations (id, breaking) values (900001, true)');
    const exitCode = process.exitCode;
    expect(await refusalOf(start(database, one))).toContain('breaking migration 900001');
    expect(process.exitCode).toBe(exitCode);
  });
});

describe('starts that meet', () => {
  test.each([2, 5])(
    '%i starts on an empty database all come up, and each migration runs once',
    async count => {
      const database = await emptyDatabase();
      const results = await Promise.all(
        Array.from({ length: count }, () => migrate(new Secret(database.url))),
      );
      const { schemaVersion } = results[0] ?? { schemaVersion: 0 };
      expect(schemaVersion).toBeGreaterThan(0);
      for (const result of results) expect(result).toMatchObject({ schemaVersion, ahead: [] });
      expect(results.map(({ applied }) => applied).sort()).toEqual([
        ...Array.from({ length: count - 1 }, () => 0),
        schemaVersion,
      ]);
      await database.query('select * from updates, graphile_worker.jobs');
    },
  );

  test('a start with nothing to apply does not wait for one that is migrating', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    const migrating = await connect(database);
    try {
      await migrating.query(`select pg_advisory_lock(${runnersLock})`);
      expect(await start(database, one)).toMatchObject({ applied: 0 });
    } finally {
      await migrating.end();
    }
  });

  test('a start that waited while a newer release migrated is refused if that went too far', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    const newer = await connect(database);
    try {
      await newer.query(`select pg_advisory_lock(${runnersLock})`);
      const refused = refusalOf(start(database, { ...one, ...two }));
      await waitForWaitingStart(database);
      await runMigrations({ client: newer }, await folderOf({ ...one, ...two, ...contract }));
      await newer.query(`select pg_advisory_unlock(${runnersLock})`);
      expect(await refused).toContain('ahead of this release by 3_contract_drop-steps.sql');
    } finally {
      await newer.end();
    }
  });

  test('a start whose connection breaks while it waits ends with an error, not with the process', async () => {
    const database = await emptyDatabase();
    await start(database, one);
    const migrating = await connect(database);
    try {
      await migrating.query(`select pg_advisory_lock(${runnersLock})`);
      const refused = refusalOf(start(database, { ...one, ...two }));
      const waiting = await waitForWaitingStart(database);
      await database.query('select pg_terminate_backend($1)', [waiting]);
      expect(await refused).toContain('The database could not be prepared.');
    } finally {
      await migrating.end();
    }
  });
});
