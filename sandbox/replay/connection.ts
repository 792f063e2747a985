// One connection to the database of the sandbox, beside those of the bot.
import pg from 'pg';
import type { Queryable } from '../../src/storage/database.ts';

export interface Connection extends Queryable {
  stop(): Promise<void>;
}

export async function connect(url: string): Promise<Connection> {
  const client = new pg.Client({ connectionString: url });
  // Ctrl-C reaches the server, too. A connection that breaks fails its query; without a listener it would end the
  // process, with the sandbox still there.
  client.on('error', () => undefined);
  await client.connect();
  return {
    query: (text, values = []) => client.query(text, [...values]),
    stop: () => client.end(),
  };
}
