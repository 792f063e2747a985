// The audit of the wallets. It compares the sums of the ledger with the wallets, and what is held with the tasks that it
// is held for. It changes nothing: people fix what it finds. Everything is read in one statement, so at one moment, and
// a move that is made meanwhile is no difference. Its event has counts and amounts, and never names a chat or a task.
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database, Queryable } from '../storage/database.ts';

export type DifferenceKind =
  /** The ledger does not add up to what a wallet has to spend. */
  | 'wallet_available'
  /** The ledger does not add up to what a wallet holds. */
  | 'wallet_held'
  /** Open holds do not add up to what a wallet holds. */
  | 'open_holds'
  /** A hold that is open although its task has ended, or does not exist. */
  | 'hold_without_running_task'
  /** A task that runs although nothing is held for it any more, or never was. */
  | 'running_task_without_hold'
  /** A task that failed and was paid for, and not refunded. */
  | 'charge_of_failed_task';

export interface Difference {
  readonly kind: DifferenceKind;
  /** How many wallets, holds or tasks it is true of. */
  readonly count: number;
  /** Kopecks in all, each without its sign. */
  readonly amount: number;
}

export interface Reconcile {
  /** Resolves with what it found, after it has emitted one WALLET_MISMATCH, or none where nothing is wrong. */
  run(): Promise<readonly Difference[]>;
}

export interface ReconcileOptions {
  readonly database: Database;
  readonly telemetry: Pick<Telemetry, 'emit'>;
}

/** One select of (kind, amount) per kind of difference; another kind is another entry. */
const findings: Readonly<Record<DifferenceKind, string>> = {
  wallet_available: `
    select abs(wallets.available - coalesce(sums.available, 0)) as amount
    from wallets left join sums using (chat_id) where wallets.available <> coalesce(sums.available, 0)`,
  wallet_held: `
    select abs(wallets.held - coalesce(sums.held, 0)) as amount
    from wallets left join sums using (chat_id) where wallets.held <> coalesce(sums.held, 0)`,
  open_holds: `
    select abs(wallets.held - coalesce(open.held, 0)) as amount
    from wallets
    left join (select chat_id, sum(amount) as held from holds where state = 'held' group by chat_id) as open using (chat_id)
    where wallets.held <> coalesce(open.held, 0)`,
  hold_without_running_task: `
    select holds.amount
    from holds left join tasks on tasks.id = holds.task_id
    where holds.state = 'held' and coalesce(tasks.state in ('succeeded', 'failed'), true)`,
  running_task_without_hold: `
    select coalesce(holds.amount, 0) as amount
    from tasks left join holds on holds.task_id = tasks.id
    where tasks.state in ('created', 'submitting', 'waiting') and tasks.quote is not null
      and holds.state is distinct from 'held'`,
  charge_of_failed_task: `
    select holds.amount
    from holds join tasks on tasks.id = holds.task_id
    where tasks.state = 'failed' and holds.state = 'charged'
      and not exists (select 1 from ledger where ledger.task_id = holds.task_id and ledger.kind = 'refund')`,
};

const reconcileText = `
  with sums as (
    select chat_id, sum(available_delta) as available, sum(held_delta) as held from ledger group by chat_id
  )
  select kind, count(*) as count, sum(amount) as amount
  from (${Object.entries(findings)
    .map(([kind, select]) => `select '${kind}' as kind, amount from (${select}) as ${kind}`)
    .join(' union all ')}) as differences
  group by kind order by kind`;

async function reconcile(queryable: Queryable): Promise<readonly Difference[]> {
  const { rows } = await queryable.query<{ kind: DifferenceKind; count: string; amount: string }>(
    reconcileText,
  );
  return rows.map(({ kind, count, amount }) => ({ kind, count: Number(count), amount: Number(amount) }));
}

export function createReconcile({ database, telemetry }: ReconcileOptions): Reconcile {
  return {
    async run() {
      const differences = await reconcile(database);
      if (differences.length > 0)
        telemetry.emit('WALLET_MISMATCH', {
          reason_code: 'INTERNAL_ERROR',
          amount: differences.reduce((sum, { amount }) => sum + amount, 0),
          reason_detail: differences
            .map(({ kind, count, amount }) => `${kind}=${count}(${amount})`)
            .join(' '),
        });
      return differences;
    },
  };
}
