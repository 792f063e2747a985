// A user's wallet as the bot's handlers see it: to look at, and to be welcomed with. Money moves with tasks in the
// pipeline, and with payments.
import type { Telemetry } from '../otel/telemetry.ts';
import type { Queryable } from '../storage/database.ts';
import type { Balance, LedgerEntry, Wallet } from './wallet.ts';

export interface Account {
  balance(chatId: number): Promise<Balance>;
  /** The newest first. */
  moves(chatId: number, limit: number): Promise<readonly LedgerEntry[]>;
  /** Gives the welcome credit, once per person. The chat must be a known user. */
  welcome(chatId: number): Promise<void>;
}

export interface AccountOptions {
  readonly database: Queryable;
  readonly wallet: Wallet;
  /** Kopecks; 0 for none. */
  readonly welcomeCredit: number;
  /** What a person is known by after they were erased. */
  readonly userHash: (chatId: number) => string;
  readonly telemetry: Pick<Telemetry, 'emit'>;
}

export function createAccount(options: AccountOptions): Account {
  const { database, wallet, welcomeCredit, userHash, telemetry } = options;
  return {
    balance: chatId => wallet.balance(database, chatId),
    moves: (chatId, limit) => wallet.moves(database, chatId, limit),
    async welcome(chatId) {
      if (welcomeCredit === 0) return;
      const { moved, amount } = await wallet.welcome(database, chatId, welcomeCredit, userHash(chatId));
      if (moved) telemetry.emit('BALANCE_TOPUP', { amount, operation: 'welcome' });
    },
  };
}
