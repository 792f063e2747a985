// What an update met when it was picked: enough to start a replay from, and nothing that a user wrote. Of texts only the
// length is kept, of files how many there are; choices, numbers and switches stay as they are.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Parameter } from '../catalogue/schema.ts';
import type { FormValue } from '../catalogue/values.ts';
import { lengthOnly } from '../otel/privacy.ts';
import type { Form } from '../pipeline/form.ts';
import type { ScreenId, ScreenRecord } from '../ui/screens.ts';
import type { BotContext } from './bot-context.ts';

export interface Situation {
  /** What the bot knew of the user; absent for a new one. */
  readonly user?: { readonly language: string; readonly blocked: boolean };
  /** Of the message that bears the tapped button. */
  readonly shown?: {
    readonly screen: ScreenId;
    readonly record: ScreenRecord;
    /** It was the newest with a screen. */
    readonly isCurrent: boolean;
    readonly renderedAt: string;
    /** The data of the button that was last accepted on it. */
    readonly lastAction?: string;
  };
  readonly form?: Pick<Form, 'model' | 'draft' | 'revision' | 'stage' | 'asking'> & {
    readonly values: Readonly<Record<string, string | number | boolean>>;
  };
}

export function situationOf(
  { picked, screen, form }: Pick<BotContext, 'picked' | 'screen' | 'form'>,
  catalogue: Pick<Catalogue, 'byKey'>,
): Situation {
  return {
    ...(picked.user ? { user: { language: picked.user.language, blocked: picked.user.blocked } } : {}),
    ...(screen
      ? {
          shown: {
            screen: screen.id,
            record: screen.record,
            isCurrent: screen.messageId === picked.session?.messageId,
            renderedAt: screen.renderedAt.toISOString(),
            ...(screen.lastAction ? { lastAction: screen.lastAction.data } : {}),
          },
        }
      : {}),
    ...(form ? { form: formOf(form, catalogue) } : {}),
  };
}

function formOf(form: Form, catalogue: Pick<Catalogue, 'byKey'>): NonNullable<Situation['form']> {
  const { model, draft, revision, stage, asking } = form;
  const parameters = catalogue.byKey(model)?.parameters ?? [];
  const values = Object.entries(form.values).map(([name, value]) => [
    name,
    withoutWords(
      value,
      parameters.find(parameter => parameter.name === name),
    ),
  ]);
  return {
    model,
    draft,
    revision,
    stage,
    ...(asking === undefined ? {} : { asking }),
    values: Object.fromEntries(values),
  };
}

/** A text is one of the choices of the catalogue, or a user's own. */
function withoutWords(value: FormValue, parameter: Parameter | undefined): string | number | boolean {
  if (Array.isArray(value)) return `files(${value.length})`;
  if (typeof value !== 'string') return value;
  return parameter?.type === 'choice' && parameter.values.includes(value) ? value : lengthOnly(value);
}
