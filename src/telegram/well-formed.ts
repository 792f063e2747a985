// Whether an update has the form that Telegram gives it, as far as this bot reads it. Whoever has the secret can post
// anything; what is of another form is ended with the name of what is wrong, instead of failing somewhere within.
import { z } from 'zod';

const id = z.int();
const user = z.looseObject({ id });
const chat = z.looseObject({ id, type: z.string() });
const file = z
  .looseObject({
    file_id: z.string(),
    file_size: z.number().optional(),
    mime_type: z.string().optional(),
    duration: z.number().optional(),
  })
  .optional();
const message = z.looseObject({
  message_id: id,
  chat,
  from: user.optional(),
  text: z.string().optional(),
  photo: z.array(z.looseObject({ file_id: z.string(), file_size: z.number().optional() })).optional(),
  animation: file,
  video: file,
  video_note: file,
  audio: file,
  voice: file,
  document: file,
  media_group_id: z.string().optional(),
  forward_origin: z.looseObject({ type: z.string(), sender_user: user.optional() }).optional(),
});

const updateSchema = z.looseObject({
  message: message.optional(),
  edited_message: message.optional(),
  channel_post: message.optional(),
  edited_channel_post: message.optional(),
  callback_query: z
    .looseObject({
      id: z.string(),
      from: user,
      message: message.optional(),
      data: z.string().optional(),
    })
    .optional(),
  pre_checkout_query: z.looseObject({ id: z.string(), from: user }).optional(),
  my_chat_member: z
    .looseObject({ chat, from: user, new_chat_member: z.looseObject({ status: z.string() }) })
    .optional(),
});

/** The path of the first part that has another form, as `callback_query.from.id`; undefined where all is well. */
export function malformedPart(update: unknown): string | undefined {
  const parsed = updateSchema.safeParse(update);
  if (parsed.success) return undefined;
  // Paths hold names of this schema only.
  return parsed.error.issues[0]?.path.join('.') || 'update';
}
