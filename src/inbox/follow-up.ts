// What an update may leave to be done once it has ended: a closed list, as data, because it is committed with the
// outcome and outlives the process. Each kind may be done twice and must come to the same as being done once.
import { z } from 'zod';
import { localeSchema } from '../locales.ts';

export const followUpSchema = z.discriminatedUnion('kind', [
  /** The welcome credit, once the user is known. */
  z.object({ kind: z.literal('welcome') }),
  /** Lets a confirmed task run now: not before the screen says so. */
  z.object({ kind: z.literal('start_task'), task: z.string() }),
  /** Sends the user a copy of everything that is stored about them. */
  z.object({ kind: z.literal('export'), locale: localeSchema }),
  /** Erases the user. `ended`: how that ended; then only the user still has to be notified. */
  z.object({
    kind: z.literal('erase'),
    locale: localeSchema,
    ended: z.enum(['erased', 'busy', 'unknown']).optional(),
  }),
  /** Shows what the turn could not show (bot/owed-screen.ts), not before so many milliseconds have passed. */
  z.object({ kind: z.literal('show'), dueInMs: z.number(), owed: z.looseObject({}) }),
]);

export type FollowUp = z.infer<typeof followUpSchema>;
export type FollowUpKind = FollowUp['kind'];
