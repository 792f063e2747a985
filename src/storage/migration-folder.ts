// The folder of migrations: which files may lie in it, and what their names say.
// A name is `<number>_<what>.sql`, or `<number>_contract_<what>.sql` for one after which the release before it no
// longer works; everything else is `expand`, after which that release works on unchanged. That release does not
// have the file when it is started again, but the database keeps the name, so it can still read the kind.
// A file that is none of ours is refused, never skipped.
import { readdir } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** What the database, too, keeps of a migration: 7 and `contract_drop-drafts`. */
export interface Migration {
  readonly number: number;
  readonly name: string;
}

const fileNamePattern = /^([1-9]\d*)_([a-z0-9_-]+)\.sql$/;
/** Whichever separator follows: read too strictly, `contract-` would pass for `expand`. */
const contractPattern = /^contract([_-]|$)/;
/** The runner's column for it is a varchar(100). */
const maxNameLength = 100;

export function fileNameOf(migration: Migration): string {
  return `${migration.number}_${migration.name}.sql`;
}

/** Whether a release that lacks this migration cannot work after it. */
export function isContract(migration: Migration): boolean {
  return contractPattern.test(migration.name);
}

/** The error of everything that is wrong with migrations. The message must name the file and say what to do. */
export function refusal(message: string, cause?: unknown): AppError {
  return new AppError({ code: 'MIGRATION_FAILED', message, cause });
}

/** The migrations in a folder, by number; gaps are left to the caller. Throws MIGRATION_FAILED naming the file. */
export async function listMigrations(directory: string): Promise<readonly Migration[]> {
  const fileNames = await readdir(directory);
  const migrations = fileNames
    .filter(fileName => !fileName.startsWith('.'))
    .map(parseFileName)
    .sort((one, other) => one.number - other.number || one.name.localeCompare(other.name));
  if (migrations.length === 0)
    throw refusal(`There is no migration in ${directory}. Deploy the release with its .sql files.`);
  refuseDuplicates(migrations);
  return migrations;
}

function parseFileName(fileName: string): Migration {
  const [, number, name] = fileNamePattern.exec(fileName) ?? [];
  if (number === undefined || name === undefined)
    throw refusal(
      `${fileName} is no migration. Name it <number>_<what>.sql or <number>_contract_<what>.sql, in lower case and without leading zeros, or take it out of the folder.`,
    );
  if (name.length > maxNameLength)
    throw refusal(`Migration ${fileName} has too long a name. Shorten it to ${maxNameLength} characters.`);
  return { number: Number(number), name };
}

function refuseDuplicates(migrations: readonly Migration[]): void {
  const byNumber = new Map<number, Migration>();
  const byName = new Map<string, Migration>();
  for (const migration of migrations) {
    const sameNumber = byNumber.get(migration.number);
    if (sameNumber)
      throw refusal(
        `Migrations ${fileNameOf(sameNumber)} and ${fileNameOf(migration)} have the same number. Give the newer one the next free number.`,
      );
    const sameName = byName.get(migration.name);
    if (sameName)
      throw refusal(
        `Migrations ${fileNameOf(sameName)} and ${fileNameOf(migration)} have the same name. Give the newer one another name.`,
      );
    byNumber.set(migration.number, migration);
    byName.set(migration.name, migration);
  }
}
