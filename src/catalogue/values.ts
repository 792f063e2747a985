// What a user filled in for a model's parameters, as forms and tasks keep it. A file stays a reference until the
// order is sent: Telegram's own id or a link, never a URL that holds the bot's token.
import { z } from 'zod';

const fileReference = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('telegram'),
    fileId: z.string().min(1),
    mimeType: z.string().optional(),
    bytes: z.int().nonnegative().optional(),
    /** Length of a video or a sound, where Telegram tells it. */
    seconds: z.number().nonnegative().optional(),
  }),
  z.object({ from: z.literal('link'), url: z.url() }),
]);
export type FileReference = z.infer<typeof fileReference>;

const formValue = z.union([z.string(), z.number(), z.boolean(), z.array(fileReference)]);
export type FormValue = z.infer<typeof formValue>;

/** By the supplier's name of the parameter; what is absent was not given. */
export const formValuesSchema = z.record(z.string(), formValue);
export type FormValues = Readonly<z.infer<typeof formValuesSchema>>;
