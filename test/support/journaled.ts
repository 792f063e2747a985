// Waiting for the event journal: it is written a moment after what it tells of.
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { type BotUnderTest, waitFor } from './bot.ts';
import { walkToConfirm } from './walk.ts';

/** Resolves when the journal tells how the update ended. */
export async function journaled(bot: BotUnderTest, sent: SentUpdate): Promise<void> {
  await inJournal(bot, await bot.cidOf(sent.updateId), 'DISPATCH_OK');
}

/** Resolves when the journal has an event of that name and cid. */
export function inJournal(bot: BotUnderTest, cid: string, name: string): Promise<true> {
  return waitFor(`${name} of ${cid} in the journal`, async () => {
    const rows = await bot.database.query(
      `select 1 from journal where cid = $1 and lines like '%"name":"' || $2 || '"%'`,
      [cid, name],
    );
    return rows.length > 0 || undefined;
  });
}

/** A user orders, and the supplier fails. Resolves to the cid of the order, once the journal tells of its end. */
export async function failGeneration(bot: BotUnderTest, user: SandboxUser): Promise<string> {
  bot.kie.failNext({ at: 'outcome', does: 'fail' });
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  await user.waitForMessage(/The generation service failed/);
  const cid = await bot.cidOf(run.updateId);
  await inJournal(bot, cid, 'TASK_FAILED');
  return cid;
}
