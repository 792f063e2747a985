// One real Postgres for the whole run, with a migrated template that each test copies. A copy is some 300 files: in memory
// it takes a tenth of what it takes on a disk, and there are more than a thousand copies in a run.
import { statfs } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../sandbox/postgres.ts';
import { Secret } from '../../src/secret.ts';
import { migrate } from '../../src/storage/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the migrated template database. */
    templateUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = await memoryFolder();
  const postgres = await startPostgres({
    settings: { max_connections: '400' },
    ...(parent === undefined ? {} : { parent }),
  });
  const templateUrl = await postgres.createDatabase();
  await migrate(new Secret(templateUrl));
  project.provide('templateUrl', templateUrl);
  return () => postgres.stop();
}

/** A container may have 64 MB of it, and other systems have none. */
const roomNeeded = 2 * 1024 ** 3;

/** Where files are kept in memory; undefined where there is no such folder with enough room. */
async function memoryFolder(): Promise<string | undefined> {
  const folder = '/dev/shm';
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= roomNeeded ? folder : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
