// What an update met when it was picked: enough to start a replay from, and nothing that a user wrote. Of texts only the
// length is kept, of files how many there are; choices, numbers and switches stay as they are. The journal keeps it for
// weeks, so it is read as the release of then wrote it: what came later is optional.
import { z } from 'zod';
import { quoteSchema } from '../billing/pricing.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Model, Parameter } from '../catalogue/schema.ts';
import type { FormValue, FormValues } from '../catalogue/values.ts';
import { localeSchema } from '../locales.ts';
import { lengthOnly } from '../otel/redaction.ts';
import { type Form, formSchema } from '../pipeline/form.ts';
import { screenIds, screenRecordSchema } from '../ui/screens.ts';
import type { BotContext } from './bot-context.ts';

export const dispatchSnapshotSchema = z.object({
  /** What the bot knew of the user; absent for a new one. */
  user: z.object({ language: localeSchema, blocked: z.boolean() }).optional(),
  /** Of the message that bears the tapped button. */
  shown: z
    .object({
      screen: z.enum(screenIds),
      record: screenRecordSchema,
      /** It was the newest with a screen. */
      isCurrent: z.boolean(),
      renderedAt: z.iso.datetime(),
      /** A message with a picture, which cannot become one with text. */
      media: z.boolean().optional(),
      /** The data of the button that was last accepted on it, and when. */
      lastAction: z.string().optional(),
      lastActionAt: z.iso.datetime().optional(),
    })
    .optional(),
  /** There was a message with a screen, for updates that are no tap. */
  hasScreen: z.boolean().optional(),
  form: formSchema
    .pick({ model: true, draft: true, revision: true, stage: true, asking: true, groupParameter: true })
    .extend({
      values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      /** The price that was shown; a form without one had none. */
      quote: quoteSchema.optional(),
      /** The update brings one more file of the album that `groupParameter` took. */
      goesOnWithAlbum: z.boolean().optional(),
    })
    .optional(),
});
export type DispatchSnapshot = Readonly<z.infer<typeof dispatchSnapshotSchema>>;

export function dispatchSnapshotOf(
  { picked, screen, form, message }: Pick<BotContext, 'picked' | 'screen' | 'form' | 'message'>,
  catalogue: Pick<Catalogue, 'byKey'>,
): DispatchSnapshot {
  return {
    ...(picked.user ? { user: { language: picked.user.language, blocked: picked.user.blocked } } : {}),
    ...(screen
      ? {
          shown: {
            screen: screen.id,
            record: screen.record,
            isCurrent: screen.messageId === picked.session?.messageId,
            renderedAt: screen.renderedAt.toISOString(),
            media: screen.media,
            ...(screen.lastAction
              ? { lastAction: screen.lastAction.data, lastActionAt: screen.lastAction.at.toISOString() }
              : {}),
          },
        }
      : {}),
    ...(picked.session?.messageId === undefined ? {} : { hasScreen: true }),
    ...(form ? { form: formOf(form, message?.media_group_id, catalogue) } : {}),
  };
}

function formOf(
  form: Form,
  groupId: string | undefined,
  catalogue: Pick<Catalogue, 'byKey'>,
): NonNullable<DispatchSnapshot['form']> {
  const { model, draft, revision, stage, asking, quote, groupParameter } = form;
  return {
    model,
    draft,
    revision,
    stage,
    ...(asking === undefined ? {} : { asking }),
    ...(quote === undefined ? {} : { quote }),
    ...(groupParameter === undefined ? {} : { groupParameter }),
    ...(groupId !== undefined && groupId === form.groupId ? { goesOnWithAlbum: true } : {}),
    values: wordlessValues(form.values, catalogue.byKey(model)),
  };
}

/** The values of a form or an order without what a user wrote or sent; all texts count as that without the model. */
export function wordlessValues(
  values: FormValues,
  model: Pick<Model, 'parameters'> | undefined,
): Record<string, string | number | boolean> {
  const parameters = model?.parameters ?? [];
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      withoutWords(
        value,
        parameters.find(parameter => parameter.name === name),
      ),
    ]),
  );
}

/** A text is one of the choices of the catalogue, or a user's own. */
function withoutWords(value: FormValue, parameter: Parameter | undefined): string | number | boolean {
  if (Array.isArray(value)) return `files(${value.length})`;
  if (typeof value !== 'string') return value;
  return parameter?.type === 'choice' && parameter.values.includes(value) ? value : lengthOnly(value);
}
