// Where a user stands, as fields of telemetry: the form by its draft and the step in it; in detail also the screen and
// what was filled in so far. Reads only.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { FieldsOf } from '../otel/event-seam.ts';
import { currentStep, type Form } from '../pipeline/form.ts';
import type { BotContext } from './bot-context.ts';
import { dispatchSnapshotOf } from './dispatch-snapshot.ts';

export interface FlowFields {
  readonly flow_id: string;
  readonly step_id?: string;
}

/** Of a model that the catalogue no longer has, the step is not known. */
export function flowOf(form: Form, catalogue: Pick<Catalogue, 'byKey'>): FlowFields {
  const model = catalogue.byKey(form.model);
  if (!model) return { flow_id: form.draft };
  const step = currentStep(form, model);
  return { flow_id: form.draft, step_id: step.kind === 'question' ? step.parameter.name : step.kind };
}

export function stateBefore(
  context: Pick<BotContext, 'picked' | 'screen' | 'form' | 'message'>,
  catalogue: Pick<Catalogue, 'byKey'>,
): FieldsOf<'STATE_BEFORE'> {
  const { shown, form } = dispatchSnapshotOf(context, catalogue);
  const model = form && catalogue.byKey(form.model);
  return {
    screen_id: shown?.screen ?? 'NONE',
    ...(form ? { revision: form.revision, form_values: JSON.stringify(form.values) } : {}),
    ...(model ? { model_id: model.id, model_version: model.version } : {}),
  };
}
