// A database with a lease and a wallet to move money with, and what must be true of it after any history.
import { expect } from 'vitest';
import { createWallet, type Wallet } from '../../src/billing/wallet.ts';
import { Secret } from '../../src/secret.ts';
import { createDatabase, type Database } from '../../src/storage/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

export interface Money {
  readonly url: string;
  readonly database: Database;
  /** Under the lease that was taken first. */
  readonly wallet: Wallet;
  /** Takes the lease over: the wallet from before moves nothing any more. */
  succeed(): Promise<Wallet>;
  addUsers(first: number, count: number): Promise<void>;
  /** As the pipeline stores it. */
  addTask(id: string, chatId: number, state: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startMoney(poolSize = 4): Promise<Money> {
  const testDatabase = await createTestDatabase();
  const database = createDatabase({
    url: new Secret(testDatabase.url),
    instanceId: 'test',
    poolSize,
    telemetry: { warn: () => undefined },
  });
  const succeed = async (): Promise<Wallet> => createWallet(await takeLease(database));
  return {
    url: testDatabase.url,
    database,
    wallet: await succeed(),
    succeed,
    async addUsers(first, count) {
      await database.query(
        `insert into users (chat_id, language) select id, 'en' from generate_series($1::bigint, $1::bigint + $2 - 1) as id`,
        [first, count],
      );
    },
    async addTask(id, chatId, state) {
      await database.query(
        `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs, state,
           callback_token, traceparent, quote)
         values ($1, $2, $1, 1, 'z-image', 'zimage', '1', '{}', $3, $1, '', '{}')`,
        [id, chatId, state],
      );
    },
    async stop() {
      await database.stop();
      await testDatabase.drop();
    },
  };
}

/**
 * Of the wallets in the range: each is the sum of its ledger and of its open holds, was never below zero after any
 * move, and each hold was settled as its state says: once, or not yet.
 */
export async function expectSound(database: Database, first: number, count: number): Promise<void> {
  const range = [first, first + count - 1];
  const { rows: wallets } = await database.query(
    `select wallets.chat_id, available, held, sums.*
     from wallets
     cross join lateral (
       select coalesce(sum(available_delta), 0) as ledger_available, coalesce(sum(held_delta), 0) as ledger_held
       from ledger where ledger.chat_id = wallets.chat_id
     ) as sums
     cross join lateral (
       select coalesce(sum(amount), 0) as open_holds from holds
       where holds.chat_id = wallets.chat_id and state = 'held'
     ) as open
     where wallets.chat_id between $1 and $2
       and (available <> ledger_available or held <> ledger_held or held <> open_holds)`,
    range,
  );
  expect(wallets, 'wallets that are not the sum of their ledger').toEqual([]);
  const { rows: negative } = await database.query(
    `select * from (
       select chat_id, sum(available_delta) over wallet as available, sum(held_delta) over wallet as held
       from ledger where chat_id between $1 and $2 window wallet as (partition by chat_id order by id)
     ) as steps where available < 0 or held < 0`,
    range,
  );
  expect(negative, 'moments below zero').toEqual([]);
  const { rows: holds } = await database.query(
    `select holds.task_id, state, moves.kinds
     from holds
     cross join lateral (
       select array_agg(kind order by ledger.id) as kinds,
         bool_and(greatest(abs(available_delta), abs(held_delta)) = holds.amount and ledger.chat_id = holds.chat_id) as same
       from ledger where ledger.task_id = holds.task_id
     ) as moves
     where holds.chat_id between $1 and $2 and (not moves.same or kinds::text <> all (case state
       when 'held' then array['{hold}']
       when 'released' then array['{hold,release}']
       else array['{hold,charge}', '{hold,charge,refund}'] end))`,
    range,
  );
  expect(holds, 'holds that were not settled as they say').toEqual([]);
}
