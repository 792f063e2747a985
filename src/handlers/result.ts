// Sends a result once more: as files, which Telegram leaves as they are, or because its delivery had failed.
import type { Handler } from '../bot/context.ts';
import { noop, type Outcome, rejected } from '../ui/outcome.ts';

export const original: Handler<'original'> = async ({ pipeline, user }, [id]) =>
  answerTo(await pipeline.sendOriginals(id, user.chatId), id);

export const redeliver: Handler<'redeliver'> = async ({ pipeline, user }, [id]) =>
  answerTo(await pipeline.redeliver(id, user.chatId), id);

function answerTo(reopening: 'due' | 'running' | 'nothing', id: string): Outcome<never> {
  if (reopening === 'nothing') return rejected('UNKNOWN_ACTION', { detail: `task ${id}` });
  if (reopening === 'running') return rejected('DUPLICATE_ACTION', { detail: 'it is on its way' });
  return noop({ key: 'hint-sending' });
}
