// What the journal of a running bot has of one cid, once it has all of it.
import type { JournalRow } from '../../src/otel/journal-row.ts';
import { createJournalReader } from '../../src/storage/journal-store.ts';
import { type BotUnderTest, waitFor } from './bot.ts';

/** Waits until the journal has as many lines of the cid as stdout. */
export async function journalOf(bot: BotUnderTest, cid: string): Promise<JournalRow[]> {
  const connection = bot.database.connect(1);
  try {
    const journal = createJournalReader(connection);
    return await waitFor(
      `the lines of ${cid} in the journal`,
      async () => {
        const rows = await journal.byCid(cid);
        return linesIn(rows).length === bot.linesOf(cid).length ? rows : undefined;
      },
      () => bot.chainOf(cid).join(', '),
    );
  } finally {
    await connection.stop();
  }
}

export function linesIn(rows: readonly JournalRow[]): string[] {
  return rows.flatMap(({ lines }) => (lines === '' ? [] : lines.split('\n')));
}
