// What is stored about one person, as a whole: what they have allowed, all of it to be handed over, and its erasure.
// Erasing is one function of the database (migration 11): all of it or nothing, and nothing under a lost lease.
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Database } from './database.ts';

/** `busy`: something of theirs still runs, and nothing was erased. `unknown`: there is nobody by that number. */
export type Erasure = 'erased' | 'busy' | 'unknown';

/** Rows as they are given to the person, with the names of the columns. The newest first. */
export interface PersonalRecords {
  readonly profile: object | null;
  readonly form: unknown;
  readonly wallet: object | null;
  readonly tasks: readonly object[];
  readonly ledger: readonly object[];
}

export interface PersonalDataStore {
  /** Whether texts of theirs may stand in telemetry. */
  saveConsent(chatId: number, allowed: boolean): Promise<void>;
  isBusy(chatId: number): Promise<boolean>;
  /** At most `limit` tasks and as many moves of money. */
  collect(chatId: number, limit: number): Promise<PersonalRecords>;
  /**
   * `userHash`: as in the journal, 16 digits. How it ended is written in the same transaction into the follow-up that
   * does it, which is the only one of the user's that stays.
   */
  erase(chatId: number, userHash: string, followUpId: number): Promise<Erasure>;
  /** Deletes what the journal was told late about those who were erased. */
  sweepJournal(): Promise<void>;
}

export function createPersonalDataStore(database: Database, lease: CurrentLease): PersonalDataStore {
  const rowsOf = async (text: string, values: readonly unknown[]): Promise<object[]> =>
    (await database.query<Record<string, unknown>>(text, values)).rows;

  return {
    async saveConsent(chatId, allowed) {
      const { rows } = await database.query<{ held: boolean }>(
        `with fence as materialized (select holds_lease($3, $4) as held), saved as (
           update users set prompt_consent = $2 from fence where chat_id = $1 and held
         )
         select held from fence`,
        [chatId, allowed, lease().name, lease().epoch],
      );
      if (rows[0]?.held !== true) throw leaseLost();
    },
    async isBusy(chatId) {
      const { rows } = await database.query<{ busy: boolean }>('select user_is_busy($1) as busy', [chatId]);
      return rows[0]?.busy === true;
    },
    async collect(chatId, limit) {
      const profiles = await rowsOf(
        `select chat_id, language, username, first_seen_at, blocked_at, prompt_consent as texts_in_telemetry
         from users where chat_id = $1`,
        [chatId],
      );
      const sessions = await database.query<{ form: unknown }>(
        'select form from sessions where chat_id = $1',
        [chatId],
      );
      const wallets = await rowsOf('select available, held from wallets where chat_id = $1', [chatId]);
      const tasks = await rowsOf(
        `select id, model_id, model_version, inputs, quote, state, reason_code, result_urls, created_at,
           submitted_at, finished_at
         from tasks where chat_id = $1 order by created_at desc limit $2`,
        [chatId, limit],
      );
      const ledger = await rowsOf(
        `select kind, available_delta, held_delta, task_id, note, created_at
         from ledger where chat_id = $1 order by id desc limit $2`,
        [chatId, limit],
      );
      const form = sessions.rows[0]?.form ?? null;
      return { profile: profiles[0] ?? null, form, wallet: wallets[0] ?? null, tasks, ledger };
    },
    erase(chatId, userHash, followUpId) {
      return database.transaction(async transaction => {
        const { name, epoch } = lease();
        const { rows } = await transaction.query<{ ended: Erasure | 'lease_lost' }>(
          'select erase_user($1, $2, $3, $4) as ended',
          [chatId, userHash, name, epoch],
        );
        const ended = rows[0]?.ended;
        if (ended === undefined || ended === 'lease_lost') throw leaseLost();
        if (ended === 'erased')
          await transaction.query('delete from follow_ups where lane = $1 and id <> $2', [
            chatId,
            followUpId,
          ]);
        await transaction.query(
          `update follow_ups set data = data || jsonb_build_object('ended', $2::text) where id = $1`,
          [followUpId, ended],
        );
        return ended;
      });
    },
    async sweepJournal() {
      await database.query('select sweep_journal_of_erased()');
    },
  };
}
