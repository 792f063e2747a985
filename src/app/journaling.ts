// The event journal put together: a connection of its own, which is all that the database ever feels of it, the rows'
// way there, and the partitions they go to. The rows were gathered from the beginning (observability.ts).
import type { Config } from '../config/config.ts';
import { nameInWarnings } from '../postgres/named-warnings.ts';
import { createDatabase } from '../storage/database.ts';
import { createJournalPartitions } from '../storage/journal-partitions.ts';
import { createJournalStore } from '../storage/journal-store.ts';
import type { DatabaseAddresses } from './databases.ts';
import type { Observability } from './observability.ts';

export interface Journaling {
  /** Resolves when what was added so far is written, or after some seconds. Never rejects. */
  flush(): Promise<void>;
  /** For after the migrations. Never rejects: without a journal the bot works as well. */
  start(): Promise<void>;
  /** Makes and drops partitions as is due. Rejects when that was not possible now. */
  keepPartitions(): Promise<unknown>;
  /** Writes what is left, within a deadline, and closes the connection. */
  stop(): Promise<void>;
}

export interface JournalingOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly addresses: DatabaseAddresses;
  readonly observability: Pick<Observability, 'journal' | 'telemetry'>;
}

/** An insert takes milliseconds; one that waits for a lock is tried again, and must not hold up the end of the process. */
const deadlineMs = 4_000;
const stopDeadlineMs = 3_000;
const flushDeadlineMs = 3_000;

/** undefined where the journal is switched off. */
export function createJournaling(options: JournalingOptions): Journaling | undefined {
  const { config, instanceId, addresses, observability } = options;
  const { journal } = observability;
  if (!config.journal || !journal) return undefined;
  // Not the periodic one: the journal warns seldom by itself, and each time says what was dropped since the last.
  const { warn } = nameInWarnings(observability.telemetry, () => addresses.direct().name);
  const database = createDatabase({
    // Of Postgres itself: a pooler that shares sessions refuses what is set for this one.
    url: config.lockDatabaseUrl,
    instanceId,
    poolSize: 1,
    durableCommits: false,
    deadlineMs,
    telemetry: { warn },
  });
  const { retentionDays, maxMegabytes } = config.journal;
  const partitions = createJournalPartitions({ database, retentionDays, maxMegabytes });
  return {
    flush: () => journal.flush(flushDeadlineMs),
    keepPartitions: () => partitions.keep(),
    async start() {
      try {
        await partitions.keep();
      } catch (error) {
        warn('keep the journal', error, 'DB_ERROR');
      }
      journal.start({
        store: createJournalStore(database),
        warn: error => warn('write the journal', error, 'DB_ERROR'),
      });
    },
    async stop() {
      await journal.stop(stopDeadlineMs);
      await database.stop();
    },
  };
}
