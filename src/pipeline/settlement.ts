// Ends a task and settles its money in one transaction: a result charges what was held, a failure releases it. A result
// that comes after the failure is sent all the same. It is free, because the money is back with the user.
import type { Move, Wallet } from '../billing/wallet.ts';
import type { FieldsOf } from '../otel/event-seam.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';
import { fieldsOf } from './task-events.ts';

/** What a TASK_FAILED adds to its reason. */
export type FailureFields = Pick<
  FieldsOf<'TASK_FAILED'>,
  'reason_detail' | 'detail_code' | 'supplier_code' | 'error_type'
>;

export interface Settlement {
  succeed(task: TaskRow, result: Result): Promise<void>;
  /** `why` goes to the operator, never to the user. */
  fail(task: TaskRow, reason: ReasonCode, why: FailureFields): Promise<void>;
  /** For a task whose money was settled in another way, or never held, so that `fail` is refused. */
  failUnsettled(task: TaskRow, reason: ReasonCode, why: FailureFields): Promise<void>;
}

export interface Result {
  readonly urls: readonly string[];
  /** What the supplier says it took, in credits. */
  readonly costCredits?: number | undefined;
}

export interface SettlementOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly tasks: TaskStore;
  readonly wallet: Wallet;
  readonly telemetry: Telemetry;
}

export function createSettlement({ database, tasks, wallet, telemetry }: SettlementOptions): Settlement {
  return {
    async succeed(task, { urls, costCredits }) {
      const { change, charge } = await database.transaction(async transaction => {
        const change = await tasks.succeed(transaction, task.id, { urls, costCredits });
        const isPaid = change === 'succeeded' && task.money !== null;
        return { change, charge: isPaid ? await wallet.charge(transaction, task.id) : undefined };
      });
      if (change === 'unchanged') return;
      if (change === 'late') {
        telemetry.emit('TASK_LATE_RESULT', fieldsOf(task));
        return;
      }
      telemetry.emit('TASK_COMPLETED', {
        ...fieldsOf(task),
        duration_ms: Math.round(task.ageMs()),
        reason_detail: dearer(task, costCredits),
      });
      if (charge) emitMove('BALANCE_CHARGE', task, charge);
    },
    async fail(task, reason, why) {
      const { failed, release } = await database.transaction(async transaction => {
        const failed = await tasks.fail(transaction, task.id, reason);
        const isHeld = failed && task.money !== null;
        return { failed, release: isHeld ? await wallet.release(transaction, task.id) : undefined };
      });
      if (!failed) return;
      emitFailed(task, reason, why);
      if (release) emitMove('BALANCE_RELEASE', task, release);
    },
    async failUnsettled(task, reason, why) {
      const failed = await database.transaction(transaction => tasks.fail(transaction, task.id, reason));
      if (failed) emitFailed(task, reason, why);
    },
  };

  function emitFailed(task: TaskRow, reason: ReasonCode, why: FailureFields): void {
    telemetry.emit('TASK_FAILED', {
      ...fieldsOf(task),
      reason_code: reason,
      ...why,
      duration_ms: Math.round(task.ageMs()),
    });
  }

  function emitMove(
    event: 'BALANCE_CHARGE' | 'BALANCE_RELEASE',
    task: TaskRow,
    { moved, amount }: Move,
  ): void {
    if (moved) telemetry.emit(event, { ...fieldsOf(task), amount });
  }
}

/** The user pays what was shown. That the supplier took more concerns those who keep the prices. */
function dearer({ quote }: TaskRow, costCredits: number | undefined): string | undefined {
  if (quote === undefined || costCredits === undefined || costCredits <= quote.credits) return undefined;
  return `cost ${costCredits} credits, sold for ${quote.credits}`;
}
