// Owns the list of what the server side of the sandbox consists of, so that a method can be handed all of it at once.
// It holds no behaviour; sandbox.ts puts it together.
import type { User, UserFromGetMe } from 'grammy/types';
import type { AlbumIds } from './album.ts';
import type { BotCommands } from './bot-commands.ts';
import type { Chats } from './chats.ts';
import type { FileStore } from './file-store.ts';
import type { LongPoll } from './long-poll.ts';
import type { Queries } from './queries.ts';
import type { UpdateQueue } from './update-queue.ts';
import type { Webhook } from './webhook.ts';

export interface BotState {
  /** The bot as getMe shows it. */
  readonly bot: UserFromGetMe;
  /** The bot as it is shown everywhere else, for example as the sender of a message. */
  readonly botUser: User;
  /** Milliseconds; decides dates, lifetimes and rates. */
  readonly now: () => number;
  readonly chats: Chats;
  readonly files: FileStore;
  readonly albumIds: AlbumIds;
  readonly queue: UpdateQueue;
  readonly longPoll: LongPoll;
  readonly webhook: Webhook;
  readonly queries: Queries;
  readonly commands: BotCommands;
}
