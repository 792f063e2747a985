// The open form of then, with placeholders for what was not recorded.
import { z } from 'zod';
import type { Form } from '../../src/pipeline/form.ts';
import type { PastUpdate } from '../../src/storage/past-store.ts';
import type { Ground } from './ground.ts';
import { refilled } from './placeholders.ts';

/** undefined where no form was open. */
export async function restoreForm({
  past,
  catalogue,
  files,
  notes,
  moved,
}: Ground): Promise<Form | undefined> {
  const recorded = past.snapshot.form;
  if (!recorded) return undefined;
  const { values: known, quote, groupParameter, goesOnWithAlbum, ...place } = recorded;
  const model = catalogue.byKey(place.model);
  const { values, replaced } = await refilled(known, model, files);
  notes.restored.push(
    `the open form: model ${model?.id ?? place.model}, draft ${place.draft}, revision ${place.revision}, at ${place.asking ?? place.stage}`,
  );
  if (quote) notes.restored.push(`the price that was shown: ${quote.kopecks} kopecks`);
  for (const name of replaced)
    notes.different.push(`the parameter ${name}: a placeholder stands for ${String(known[name])}`);
  return {
    ...place,
    values,
    ...(quote ? { quote: { ...quote, at: moved(quote.at).toISOString() } } : {}),
    ...(groupParameter === undefined
      ? {}
      : { groupParameter, groupId: (goesOnWithAlbum && albumOf(past.update)) || 'another album' }),
  };
}

const albumSchema = z.object({ message: z.object({ media_group_id: z.string() }) });

function albumOf({ body }: PastUpdate): string | undefined {
  const parsed = albumSchema.safeParse(body);
  return parsed.success ? parsed.data.message.media_group_id : undefined;
}
