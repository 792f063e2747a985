// Users as they are looked up by people.
import type { Queryable } from './database.ts';

export interface UserStore {
  /** By the name that Telegram last sent, without the @. A name can have changed hands: the one seen last counts. */
  chatIdOf(username: string): Promise<number | undefined>;
}

export function createUserStore(queryable: Queryable): UserStore {
  return {
    async chatIdOf(username) {
      const { rows } = await queryable.query<{ chat_id: string }>(
        'select chat_id from users where username = lower($1) order by first_seen_at desc limit 1',
        [username],
      );
      return rows[0] && Number(rows[0].chat_id);
    },
  };
}
