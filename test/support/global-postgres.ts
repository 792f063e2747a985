// One real Postgres for the whole run, with a migrated template that each test copies in some 50 ms.
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
  const postgres = await startPostgres();
  const templateUrl = await postgres.createDatabase();
  await migrate(new Secret(templateUrl));
  project.provide('templateUrl', templateUrl);
  return () => postgres.stop();
}
