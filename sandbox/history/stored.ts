// What the database knows of a history, and what is still to be done in it. Reads the bot's tables as they are.
import type pg from 'pg';
import type { Finding, History, Move, StoredTask, StoredUpdate, Wallet } from './history.ts';

export type Ask = <R extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<R[]>;

type Stored = Pick<History, 'updates' | 'tasks' | 'wallets' | 'moves'>;

export async function readStored(ask: Ask): Promise<Stored> {
  const updates = await ask<{
    id: string;
    update_id: string;
    lane: string;
    event_type: string;
    traceparent: string;
    outcome: string | null;
    epoch: string | null;
    received_at: Date;
    finished_at: Date | null;
    query_id: string | null;
  }>(
    `select id, update_id, lane, event_type, traceparent, outcome, epoch, received_at, finished_at,
       coalesce(body->'callback_query'->>'id', body->'pre_checkout_query'->>'id') as query_id
     from updates order by finished_at`,
  );
  const tasks = await ask<StoredTask & pg.QueryResultRow>(
    `select id, state, quote is not null as "isSold", callback_token as "callbackToken",
       exists (select 1 from deliveries where task_id = tasks.id and kind = 'failure') as "isReportedFailed"
     from tasks`,
  );
  const wallets = await ask<Wallet & pg.QueryResultRow>(
    `select chat_id::float8 as "chatId", available::float8 as available, held::float8 as held from wallets`,
  );
  const moves = await ask<Move & pg.QueryResultRow>(
    `select chat_id::float8 as "chatId", kind, available_delta::float8 as available, held_delta::float8 as held,
       task_id as "taskId"
     from ledger order by id`,
  );
  return {
    updates: updates.map(
      (row): StoredUpdate => ({
        id: Number(row.id),
        updateId: Number(row.update_id),
        lane: Number(row.lane),
        eventType: row.event_type,
        // The first digits of the trace id.
        cid: row.traceparent.slice(3, 11),
        outcome: row.outcome,
        epoch: row.epoch === null ? null : Number(row.epoch),
        receivedAt: row.received_at.getTime(),
        finishedAt: row.finished_at?.getTime() ?? null,
        queryId: row.query_id,
      }),
    ),
    tasks,
    wallets,
    moves,
  };
}

/** What waits to be done: nothing of it may be left when there was time enough. */
export async function readLeftovers(ask: Ask): Promise<Finding[]> {
  const rows = await ask<{ subject: string; problem: string }>(
    `select 'update ' || update_id || ' (cid ' || substr(traceparent, 4, 8) || ')' as subject,
       'has no outcome' || coalesce(', picked by ' || picked_by, '') || ', attempts ' || attempts as problem
     from updates where outcome is null
     union all
     select 'task ' || id || ' (cid ' || substr(traceparent, 4, 8) || ')', 'is still ' || state
     from tasks where state not in ('succeeded', 'failed')
     union all
     select 'task ' || task_id, 'still owes a delivery: ' || kind || ' ' || position || ', attempts ' || attempts
     from deliveries where finished_at is null
     union all
     select 'task ' || task_id, 'has a callback that was not worked' from kie_callbacks where finished_at is null
     union all
     select 'chat ' || lane || ' (cid ' || substr(traceparent, 4, 8) || ')',
       'still has to follow an update: ' || kind || ', attempts ' || attempts
     from follow_ups
     union all
     select 'job ' || id, task_identifier || coalesce(', locked by ' || locked_by, '')
       || ', attempts ' || attempts || coalesce(': ' || last_error, '')
     from graphile_worker.jobs
     where task_identifier not like 'pulse:%' and case
       -- What somebody works now takes moments. What those had who are gone is free within seconds.
       when locked_at is not null then locked_at < now() - interval '15 seconds'
       -- Housekeeping deletes what is used up.
       else attempts < max_attempts and run_at < now() + interval '1 minute'
     end`,
  );
  return rows.map(({ subject, problem }) => ({ subject, problem }));
}
