// The journal for the time of a command: opened through DATABASE_URL, read, closed.
import { createJournalChains } from '../diagnosis/journal-chains.ts';
import { createJournalReader, type JournalReader } from '../storage/journal-store.ts';
import { createUserStore, type UserStore } from '../storage/user-store.ts';
import type { Terminal } from './command.ts';
import { withDatabase } from './database.ts';
import type { WithChains } from './trace.ts';

/** What a command asks; one question after the other, because all have one connection. */
export interface JournalAccess {
  readonly journal: JournalReader;
  readonly users: UserStore;
}

/** Throws as `withDatabase` does. */
export function withJournal<T>(terminal: Terminal, work: (access: JournalAccess) => Promise<T>): Promise<T> {
  return withDatabase(terminal, database =>
    work({ journal: createJournalReader(database), users: createUserStore(database) }),
  );
}

export const withChains: WithChains = (terminal, work) =>
  withJournal(terminal, ({ journal }) => work(createJournalChains(journal)));
