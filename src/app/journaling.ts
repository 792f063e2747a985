// The event journal put together: a connection of its own, which is all that the database ever feels of it, the rows'
// way there, and the partitions they go to. Made before anything is told, because rows are gathered from the beginning.
import { createJournal, type Journal } from '../otel/journal.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { createDatabase } from '../storage/database.ts';
import { createJournalPartitions } from '../storage/journal-partitions.ts';
import { encodeRow } from '../storage/journal-row-text.ts';
import { createJournalStore } from '../storage/journal-store.ts';

export interface Journaling extends Pick<Journal, 'add'> {
  /** Resolves when what was told so far is written, or after some seconds. Never rejects. */
  flush(): Promise<void>;
  /** For after the migrations. Never rejects: without a journal the bot works as well. */
  start(): Promise<void>;
  /** Makes and drops partitions as is due. Rejects when that was not possible now. */
  keepPartitions(): Promise<unknown>;
  /** Writes what is left, within a deadline, and closes the connection. */
  stop(): Promise<void>;
}

export interface JournalingOptions {
  /** Of Postgres itself: a pooler that shares sessions refuses what is set for this one. */
  readonly url: Secret;
  readonly instanceId: string;
  readonly release: string;
  readonly retentionDays: number;
  readonly maxMegabytes: number;
  readonly warn: Telemetry['warn'];
}

/** An insert takes milliseconds; one that waits for a lock is tried again, and must not hold up the end of the process. */
const deadlineMs = 4_000;
const stopDeadlineMs = 3_000;
const flushDeadlineMs = 3_000;

export function createJournaling(options: JournalingOptions): Journaling {
  const { instanceId, release, retentionDays, maxMegabytes, warn } = options;
  const database = createDatabase({
    url: options.url,
    instanceId,
    poolSize: 1,
    durableCommits: false,
    deadlineMs,
    telemetry: { warn },
  });
  const partitions = createJournalPartitions({ database, retentionDays, maxMegabytes });
  // A name of the operator's own; what is no text would not be stored.
  const instance = { instanceId, release: release.replaceAll(/\p{Cc}/gu, '') };
  const journal = createJournal({
    encode: entry => encodeRow(entry, instance),
    store: createJournalStore(database),
    warn: error => warn('write the journal', error, 'DB_ERROR'),
  });
  return {
    add: entry => journal.add(entry),
    flush: () => journal.flush(flushDeadlineMs),
    keepPartitions: () => partitions.keep(),
    async start() {
      try {
        await partitions.keep();
      } catch (error) {
        warn('keep the journal', error, 'DB_ERROR');
      }
      journal.start();
    },
    async stop() {
      await journal.stop(stopDeadlineMs);
      await database.stop();
    },
  };
}
