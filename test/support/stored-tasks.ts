// Tasks that are there without a walk through the bot: many of them, at any step.
import { randomBytes } from 'node:crypto';
import type { TestDatabase } from './database.ts';

export interface StoredTask {
  readonly chatId: number;
  readonly modelId?: string;
  readonly modelKey?: string;
  readonly values?: object;
}

const price = 80;

/** Paid orders that nobody has looked at. Resolves with their ids. */
export async function storeOrders(
  database: Pick<TestDatabase, 'query'>,
  count: number,
  {
    chatId,
    modelId = 'z-image',
    modelKey = 'zimage',
    values = { prompt: 'a fox', aspect_ratio: '1:1' },
  }: StoredTask,
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(9).toString('base64url'));
  await database.query(`insert into users (chat_id, language) values ($1, 'en') on conflict do nothing`, [
    chatId,
  ]);
  await database.query(
    `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs, state,
       callback_token, traceparent, quote)
     select id, $2, id, 1, $3, $4, '2026-01-01', $5, 'created', md5(id), '00-' || md5(id) || '-b7ad6b7169203331-01', $6
     from unnest($1::text[]) as id`,
    [
      ids,
      chatId,
      modelId,
      modelKey,
      JSON.stringify(values),
      JSON.stringify({ kopecks: price, credits: 0.8 }),
    ],
  );
  // A wallet that has taken so much in, and holds all of it for them.
  const amount = count * price;
  await database.query(
    `insert into wallets (chat_id, available, held) values ($1, 0, $2)
     on conflict (chat_id) do update set held = wallets.held + excluded.held`,
    [chatId, amount],
  );
  await database.query(
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, epoch) values ($1, 'topup', $2, 0, $3, 1)`,
    [chatId, amount, `topup:${ids[0]}`],
  );
  await database.query(
    `insert into holds (task_id, chat_id, amount) select id, $2, $3 from unnest($1::text[]) as id`,
    [ids, chatId, price],
  );
  await database.query(
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, task_id, epoch)
     select $2, 'hold', -$3::bigint, $3, 'hold:' || id, id, 1 from unnest($1::text[]) as id`,
    [ids, chatId, price],
  );
  return ids;
}

/** Tasks whose result, one file each, is owed to their user. */
export async function storeResults(
  database: Pick<TestDatabase, 'query'>,
  count: number,
  { url, ...task }: StoredTask & { readonly url: string },
): Promise<string[]> {
  const ids = await storeOrders(database, count, task);
  await database.query(
    `update tasks set state = 'succeeded', vendor_task_id = id, finished_at = now() where id = any($1)`,
    [ids],
  );
  await database.query(
    `insert into deliveries (task_id, kind, position, url) select id, 'result', 1, $2 from unnest($1::text[]) as id`,
    [ids, url],
  );
  return ids;
}

/** Has them looked at now. */
export async function workTasks(
  database: Pick<TestDatabase, 'query'>,
  ids: readonly string[],
): Promise<void> {
  await database.query(
    `select graphile_worker.add_job('task', json_build_object('task', id), max_attempts => 25, job_key => 'task:' || id)
     from unnest($1::text[]) as id`,
    [ids],
  );
}
