// What is stored about one person, as a whole: what they have allowed, all of it to be handed over, and its erasure.
// Erasing is one transaction: all of it or nothing, and nothing under a lost lease. Its function (migration 11) leaves
// updates that nobody has worked yet; those lose what was written at once, and the rest with their outcome.
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Database, Queryable } from './database.ts';

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
  /** Deletes what was stored while the erasure of this person was under way, by whoever worked beside it. */
  sweep(chatId: number, userHash: string): Promise<void>;
  /** Deletes journal rows about erased people that were written late. */
  sweepJournal(): Promise<void>;
}

export interface PersonalDataStoreOptions {
  /** For what a tap waits for. */
  readonly database: Queryable;
  /** For statements that read or delete much; whoever waits for one of them waits in the background. */
  readonly archive: Database;
  readonly lease: CurrentLease;
  /** What an update that is not worked yet may still hold of its body, both as JSON text. */
  readonly forgotten: (body: string, updateId: number) => string;
}

export function createPersonalDataStore(options: PersonalDataStoreOptions): PersonalDataStore {
  const { database, archive, lease, forgotten } = options;
  const rowsOf = async (text: string, values: readonly unknown[]): Promise<object[]> =>
    (await archive.query<Record<string, unknown>>(text, values)).rows;

  /** Of those who wait first: one that ends meanwhile is found among the ended ones. */
  async function forgetUpdates(transaction: Queryable, chatId: number, userHash: string): Promise<void> {
    const until = '(select max(erased_at) from erased where user_hash = $2)';
    const { rows } = await transaction.query<{ id: string; update_id: string; body: string }>(
      `select id, update_id, body::text as body from updates
       where lane = $1 and outcome is null and not forget and received_at <= ${until} for update`,
      [chatId, userHash],
    );
    // Whoever works one of them at this moment cannot commit what they have read of it, and it is picked again.
    await transaction.query(
      `update updates set forget = true, picked_by = null, body = kept.body::json
       from unnest($1::bigint[], $2::text[]) as kept (id, body) where updates.id = kept.id`,
      [rows.map(({ id }) => id), rows.map(({ body, update_id }) => forgotten(body, Number(update_id)))],
    );
    await transaction.query(
      `update updates set lane = 0, message_id = null, body = json_build_object('update_id', update_id)
       where lane = $1 and outcome is not null and received_at <= ${until}`,
      [chatId, userHash],
    );
  }

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
      const sessions = await archive.query<{ form: unknown }>(
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
      return archive.transaction(async transaction => {
        const { name, epoch } = lease();
        const { rows } = await transaction.query<{ ended: Erasure | 'lease_lost' }>(
          'select erase_user($1, $2, $3, $4) as ended',
          [chatId, userHash, name, epoch],
        );
        const ended = rows[0]?.ended;
        if (ended === undefined || ended === 'lease_lost') throw leaseLost();
        if (ended === 'erased') {
          await transaction.query('delete from follow_ups where lane = $1 and id <> $2', [
            chatId,
            followUpId,
          ]);
          // What came while the rest was being erased came before its end.
          await transaction.query(
            `update erased set erased_at = clock_timestamp()
             where pseudonym = (select min(pseudonym) from erased where user_hash = $1)`,
            [userHash],
          );
          await forgetUpdates(transaction, chatId, userHash);
        }
        await transaction.query(
          `update follow_ups set data = data || jsonb_build_object('ended', $2::text) where id = $1`,
          [followUpId, ended],
        );
        return ended;
      });
    },
    async sweep(chatId, userHash) {
      await archive.transaction(transaction => forgetUpdates(transaction, chatId, userHash));
      await archive.query('select sweep_journal_of_erased()');
    },
    async sweepJournal() {
      await archive.query('select sweep_journal_of_erased()');
    },
  };
}
