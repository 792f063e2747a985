// Records of messages that were sent outside an update, such as a delivered result.
import { defaultLocale } from '../locales.ts';
import type { Database } from './database.ts';

export interface SentMessage {
  readonly chatId: number;
  readonly messageId: number;
  readonly screen: string;
  readonly record: object;
  readonly media: boolean;
}

export interface MessageStore {
  /**
   * Remembers which screen a message shows now; also of a chat that has not written since this database began. The last
   * button that was accepted on it stays: a second tap on that is a double tap, whatever the message shows by then.
   */
  record(message: SentMessage): Promise<void>;
  /** Whether a message still shows this task, and not what the user has opened in its place. */
  showsTask(chatId: number, messageId: number, taskId: string): Promise<boolean>;
  /** The bot can no longer write to this chat. */
  markBlocked(chatId: number): Promise<void>;
}

export function createMessageStore(database: Database): MessageStore {
  return {
    async record({ chatId, messageId, screen, record, media }) {
      await database.query(
        `with known as (insert into users (chat_id, language) values ($1, $6) on conflict do nothing)
         insert into messages (chat_id, message_id, screen_id, screen_data, media) values ($1, $2, $3, $4, $5)
         on conflict (chat_id, message_id) do update
         set screen_id = excluded.screen_id, screen_data = excluded.screen_data, media = excluded.media, rendered_at = now()`,
        [chatId, messageId, screen, JSON.stringify(record), media, defaultLocale],
      );
    },
    async showsTask(chatId, messageId, taskId) {
      const { rowCount } = await database.query(
        `select 1 from messages where chat_id = $1 and message_id = $2 and screen_data->>'task' = $3`,
        [chatId, messageId, taskId],
      );
      return (rowCount ?? 0) > 0;
    },
    async markBlocked(chatId) {
      await database.query('update users set blocked_at = now() where chat_id = $1 and blocked_at is null', [
        chatId,
      ]);
    },
  };
}
