// What has been applied to this database, held against the folder of this release. History and folder must be
// the same as far as both reach: an edited, renamed, missing or late file is refused before anything is run.
// What only the folder has is pending. What only the history has came from a newer release: the database is
// ahead, which is fine after `expand` and refused after `contract`. A file that is missing at the end of the
// folder cannot be distinguished from that. Reads only; the runner writes the history.
import type pg from 'pg';
import { loadMigrationFiles } from 'postgres-migrations';
import { fileNameOf, isContract, listMigrations, type Migration, refusal } from './migration-folder.ts';

interface Checksummed extends Migration {
  readonly hash: string;
}

export interface MigrationState {
  /** To be applied, in this order. */
  readonly pending: readonly Migration[];
  /** Applied by a newer release, each an `expand`. */
  readonly ahead: readonly Migration[];
  /** The highest number that has been applied; 0 in an empty database. */
  readonly schemaVersion: number;
}

/** Throws AppError MIGRATION_FAILED, naming the file, where folder and database do not fit together. */
export async function compareWithHistory(client: pg.ClientBase, directory: string): Promise<MigrationState> {
  const folder = await listMigrations(directory);
  const history = await readHistory(client);
  // Before the checksums: the runner's loader stops at a gap, and names the file behind it.
  refuseMissing(folder, history);
  const files = await readChecksums(directory);
  refuseChanged(files, history);

  const schemaVersion = highest(history);
  const applied = new Set(history.map(({ number }) => number));
  const pending = files.filter(({ number }) => !applied.has(number));
  const late = pending.find(({ number }) => number < schemaVersion);
  if (late)
    throw refusal(
      `Migration ${fileNameOf(late)} comes too late: number ${schemaVersion} has been applied without it. Give it a number above ${Math.max(schemaVersion, highest(files))}.`,
    );

  const ahead = history.filter(({ number }) => number > highest(files));
  const harmful = ahead.find(isContract);
  if (harmful)
    throw refusal(
      `The database is ahead of this release by ${fileNameOf(harmful)}, after which this release cannot work. Deploy a release that has this file, or restore a backup from before it.`,
    );
  return { pending, ahead, schemaVersion };
}

async function readHistory(client: pg.ClientBase): Promise<readonly Checksummed[]> {
  const { rows: found } = await client.query<{ exists: boolean }>(
    `select to_regclass('migrations') is not null as exists`,
  );
  if (!found[0]?.exists) return [];
  const { rows } = await client.query<Checksummed>(
    'select id as number, name, hash from migrations order by id',
  );
  return rows;
}

/** By the runner's own loader, so that both always mean the same checksum; its own table's number 0 included. */
async function readChecksums(directory: string): Promise<readonly Checksummed[]> {
  const files = await loadMigrationFiles(directory);
  return files.map(({ id, name, hash }) => ({ number: id, name, hash }));
}

function refuseMissing(folder: readonly Migration[], history: readonly Migration[]): void {
  let expected = 1;
  for (const following of folder) {
    if (following.number !== expected) {
      const applied = history.find(({ number }) => number === expected);
      throw applied
        ? refusal(
            `Migration ${fileNameOf(applied)} is missing although it has been applied. Restore the file as it was.`,
          )
        : refusal(
            `Migration number ${expected} is missing before ${fileNameOf(following)}. Restore its file, or number the files after it consecutively.`,
          );
    }
    expected += 1;
  }
}

function refuseChanged(files: readonly Checksummed[], history: readonly Checksummed[]): void {
  for (const file of files) {
    const applied = history.find(({ number }) => number === file.number);
    if (!applied || applied.hash === file.hash) continue;
    throw applied.name === file.name
      ? refusal(
          `Migration ${fileNameOf(file)} was edited after it had been applied. Restore the file as it was, line ends included, and put the change into a new migration.`,
        )
      : refusal(
          `Migration ${fileNameOf(file)} comes too late: its number was applied as ${fileNameOf(applied)}. If it is new, give it a number above ${highest(history)}; if it was renamed, give it its name back.`,
        );
  }
}

function highest(migrations: readonly Migration[]): number {
  return Math.max(0, ...migrations.map(({ number }) => number));
}
