// How the service is at this moment, for verdicts: who is at work, what waits, and what Telegram says of its webhook.
// Whoever asks does so by an update, so it is certain that updates arrive.
import type { Surroundings } from '../diagnosis/surroundings.ts';
import type { Role } from '../lock/role.ts';
import type { Queryable } from '../storage/database.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { refusedBy } from '../telegram/refusal.ts';

export interface ServiceSurroundings {
  /** As far as the database knows. */
  now(): Promise<Surroundings>;
  /** Also what Telegram reports; without it where Telegram does not answer. */
  whole(): Promise<Surroundings>;
}

export interface ServiceSurroundingsOptions {
  readonly database: Queryable;
  readonly role: Pick<Role, 'snapshot'>;
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly botId: number;
}

/** Telegram goes on reporting the last failure for ever. */
const recentFailureMs = 10 * 60_000;

export function createServiceSurroundings(options: ServiceSurroundingsOptions): ServiceSurroundings {
  const { database, role, telegram, botId } = options;

  async function oldestUnpickedMs(): Promise<number> {
    const { rows } = await database.query<{ age_ms: number | null }>(
      `select (extract(epoch from now() - min(received_at)) * 1000)::float8 as age_ms from updates
       where outcome is null and picked_at is null and bot_id = $1`,
      [botId],
    );
    return rows[0]?.age_ms ?? 0;
  }

  async function webhook(): Promise<Surroundings> {
    let reported: Surroundings = {};
    await refusedBy(
      telegram.api.getWebhookInfo().then(info => {
        const isRecent = Date.now() - (info.last_error_date ?? 0) * 1_000 < recentFailureMs;
        reported = {
          webhookPending: info.pending_update_count,
          webhookError: isRecent ? info.last_error_message : undefined,
        };
      }),
    );
    return reported;
  }

  async function now(): Promise<Surroundings> {
    const [{ holder }, oldest] = await Promise.all([role.snapshot(), oldestUnpickedMs()]);
    return { now: new Date(), hasActiveInstance: holder?.pid !== undefined, oldestUnpickedMs: oldest };
  }

  return {
    now,
    whole: async () => ({ ...(await now()), ...(await webhook()), minutesWithoutUpdate: 0 }),
  };
}
