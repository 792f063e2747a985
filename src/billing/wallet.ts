// Moves of money, each one a function of the database (migration 5): atomic, never below zero, refused under a lost
// lease, and without effect when it is repeated. Every function runs on the connection it is given, so that a move
// commits together with the change of the task it pays for. Amounts are whole kopecks.
// Nothing is emitted here: the caller does, after its commit, and only for what `moved`.
// A payment, whatever took it, enters by `topUp` under the payment's own id.
import pg from 'pg';
import { AppError } from '../errors.ts';
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Queryable } from '../storage/database.ts';

export interface Balance {
  /** What can be spent. */
  readonly available: number;
  /** What running tasks have reserved. */
  readonly held: number;
}

export interface Move {
  /** False when the same move had been made before: nothing was changed now. */
  readonly moved: boolean;
  /** Without a sign, as it was made. */
  readonly amount: number;
  readonly balance: Balance;
}

export type MoveOrShortage =
  | ({ readonly ok: true } & Move)
  /** Nothing was changed; `missing` more would have done. */
  | { readonly ok: false; readonly missing: number; readonly balance: Balance };

export type MoveKind = 'topup' | 'welcome' | 'adjust' | 'hold' | 'charge' | 'release' | 'refund';

export interface LedgerEntry {
  readonly kind: MoveKind;
  readonly availableDelta: number;
  readonly heldDelta: number;
  readonly taskId: string | null;
  readonly note: string | null;
  readonly at: Date;
}

export interface Hold {
  readonly chatId: number;
  readonly task: string;
  /** 0 for what is free: it is held and settled like the rest. */
  readonly amount: number;
}

export interface TopUp {
  readonly chatId: number;
  readonly amount: number;
  /** Names the payment for all time. */
  readonly ref: string;
}

export interface Adjustment {
  readonly chatId: number;
  /** Signed, not 0. */
  readonly amount: number;
  readonly ref: string;
  /** Why; for administrators. */
  readonly note: string;
}

/**
 * Each move throws AppError LEASE_LOST under a lost lease, and WALLET_REFUSED when it contradicts an earlier one (the
 * same reference for another chat or amount, a second way to settle) or is none (an amount that is no whole number
 * of kopecks). Both undo the caller's transaction. The chat must be a known user.
 */
export interface Wallet {
  hold(queryable: Queryable, hold: Hold): Promise<MoveOrShortage>;
  /** Takes what is held for the task. */
  charge(queryable: Queryable, task: string): Promise<Move>;
  /** Gives back what is held for the task. */
  release(queryable: Queryable, task: string): Promise<Move>;
  /** Gives back what was charged for the task, once; again under the same reference is a repetition. */
  refund(queryable: Queryable, task: string, ref: string): Promise<Move>;
  topUp(queryable: Queryable, topUp: TopUp): Promise<Move>;
  adjust(queryable: Queryable, adjustment: Adjustment): Promise<MoveOrShortage>;
  /**
   * Once per chat, whatever the amount is later; 0 is no credit and leaves the chat its chance. With `userHash`, as in
   * the journal, also once per person: nothing for those who had it before they were erased.
   */
  welcome(queryable: Queryable, chatId: number, amount: number, userHash?: string): Promise<Move>;
  /** Nothing for a chat that has no wallet yet. */
  balance(queryable: Queryable, chatId: number): Promise<Balance>;
  /** The newest first; free ones are left out. */
  moves(queryable: Queryable, chatId: number, limit: number): Promise<readonly LedgerEntry[]>;
}

interface MoveRecord {
  moved: boolean;
  amount: string;
  missing: string;
  available: string;
  held: string;
}

interface LedgerRecord {
  kind: MoveKind;
  available_delta: string;
  held_delta: string;
  task_id: string | null;
  note: string | null;
  created_at: Date;
}

/** The database's own: see migration 5. */
const leaseLostState = 'TW001';
const refusedState = 'TW002';

export function createWallet(lease: CurrentLease): Wallet {
  async function move(queryable: Queryable, call: string, values: readonly unknown[]): Promise<MoveRecord> {
    const { name, epoch } = lease();
    const places = [...values, name, epoch].map((_, index) => `$${index + 1}`).join(', ');
    try {
      const { rows } = await queryable.query<MoveRecord>(`select * from ${call}(${places})`, [
        ...values,
        name,
        epoch,
      ]);
      const [record] = rows;
      if (record === undefined) throw refused('The move gave no answer');
      return record;
    } catch (error) {
      throw translated(error);
    }
  }

  return {
    async hold(queryable, { chatId, task, amount }) {
      requireKopecks(amount, 0);
      return toMoveOrShortage(await move(queryable, 'wallet_hold', [chatId, task, amount]));
    },
    charge: async (queryable, task) => toMove(await move(queryable, 'wallet_charge', [task])),
    release: async (queryable, task) => toMove(await move(queryable, 'wallet_release', [task])),
    refund: async (queryable, task, ref) => toMove(await move(queryable, 'wallet_refund', [task, ref])),
    async topUp(queryable, { chatId, amount, ref }) {
      requireKopecks(amount, 1);
      return toMove(await move(queryable, 'wallet_top_up', [chatId, amount, ref]));
    },
    async adjust(queryable, { chatId, amount, ref, note }) {
      requireKopecks(Math.abs(amount), 1);
      if (note === '') throw refused('An adjustment needs a note that says why');
      return toMoveOrShortage(await move(queryable, 'wallet_adjust', [chatId, amount, ref, note]));
    },
    async welcome(queryable, chatId, amount, userHash) {
      requireKopecks(amount, 0);
      if (amount === 0) return { moved: false, amount, balance: await balance(queryable, chatId) };
      const person = userHash === undefined ? [] : [userHash];
      return toMove(await move(queryable, 'wallet_welcome', [chatId, amount, ...person]));
    },
    balance,
    async moves(queryable, chatId, limit) {
      const { rows } = await queryable.query<LedgerRecord>(
        `select kind, available_delta, held_delta, task_id, note, created_at from ledger
         where chat_id = $1 and (available_delta <> 0 or held_delta <> 0) order by id desc limit $2`,
        [chatId, limit],
      );
      return rows.map(row => ({
        kind: row.kind,
        availableDelta: Number(row.available_delta),
        heldDelta: Number(row.held_delta),
        taskId: row.task_id,
        note: row.note,
        at: row.created_at,
      }));
    },
  };
}

async function balance(queryable: Queryable, chatId: number): Promise<Balance> {
  const { rows } = await queryable.query<{ available: string; held: string }>(
    'select available, held from wallets where chat_id = $1',
    [chatId],
  );
  return rows[0] ? toBalance(rows[0]) : { available: 0, held: 0 };
}

function toMove({ moved, amount, available, held }: MoveRecord): Move {
  return { moved, amount: Number(amount), balance: toBalance({ available, held }) };
}

function toMoveOrShortage(record: MoveRecord): MoveOrShortage {
  const missing = Number(record.missing);
  return missing > 0 ? { ok: false, missing, balance: toBalance(record) } : { ok: true, ...toMove(record) };
}

// The columns are checked to be within the range of exact integers.
function toBalance({ available, held }: { available: string; held: string }): Balance {
  return { available: Number(available), held: Number(held) };
}

function requireKopecks(amount: number, least: number): void {
  if (!Number.isSafeInteger(amount) || amount < least)
    throw refused(`An amount must be a whole number of kopecks, at least ${least}`);
}

function translated(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (error.code === leaseLostState) return leaseLost(error);
  if (error.code === refusedState) return refused(error.message, error);
  return error;
}

function refused(message: string, cause?: unknown): AppError {
  return new AppError({ code: 'WALLET_REFUSED', message, cause });
}
