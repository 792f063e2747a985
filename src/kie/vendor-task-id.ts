// KIE.ai's name of a task: which characters we take, and under which keys it stands in answers and callbacks.
import { z } from 'zod';

/** Printable and without spaces: it becomes part of a URL and of rows. KIE documents no format. */
const vendorTaskIdSchema = z.string().regex(/^[\x21-\x7e]{1,128}$/);

const idOrNothing = vendorTaskIdSchema.optional().catch(undefined);
const namingSchema = z.object({ taskId: idOrNothing, task_id: idOrNothing });

/** From `taskId` (market, veo, answers) or `task_id` (callbacks of suno, the webhook guide); undefined without one. */
export function namedTask(data: unknown): string | undefined {
  const parsed = namingSchema.safeParse(data);
  return parsed.success ? (parsed.data.taskId ?? parsed.data.task_id) : undefined;
}
