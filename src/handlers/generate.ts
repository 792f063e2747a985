// The confirmed form becomes a task.
import type { Handler } from '../bot/context.ts';
import { rejected, show } from '../ui/outcome.ts';

export const generate: Handler<'generate'> = async ({ user, form, screen, pipeline }) => {
  const task = await pipeline.confirm({ chatId: user.chatId, form, messageId: screen?.messageId });
  if (!task.ok) return rejected(task.reason, { detail: task.detail });
  // Only after the screen says so may the task run: a quick result must not be overwritten by PROCESSING.
  return show(
    'PROCESSING',
    { task: task.id, model: form.model },
    { afterCommit: () => pipeline.start(task.id) },
  );
};
