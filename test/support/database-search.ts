// Looks for a text in everything that a database holds: every column of every table, the queue's too.
import type { Queryable } from '../../src/storage/database.ts';

/** The tables with a row that holds the text anywhere, sorted. Upper and lower case are the same. */
export async function tablesWith(database: Queryable, text: string): Promise<string[]> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await database.query(
      `select 1 from ${name} as candidate where position(lower($1) in lower(candidate::text)) > 0 limit 1`,
      [text],
    );
    if (rowCount) found.push(name);
  }
  return found.toSorted();
}
