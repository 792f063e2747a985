// Why a model cannot be ordered, in the words of a refusal.
import type { Availability, Catalogue } from '../catalogue/catalogue.ts';
import type { Model } from '../catalogue/schema.ts';
import { type Hint, type Rejected, rejected } from '../ui/outcome.ts';

type Why = Extract<Availability, { ok: false }>['why'];

/** Where the reason's own text is not all there is to say. */
const hints: Readonly<Record<Why, Hint | undefined>> = {
  disabled: undefined,
  not_this_model: undefined,
  price_unknown: { key: 'hint-model-price-unknown' },
  needs_public_address: { key: 'hint-model-needs-address' },
};

/** undefined when it can be ordered. */
export function whyUnavailable(catalogue: Catalogue, model: Model): Rejected | undefined {
  const availability = catalogue.availability(model);
  if (availability.ok) return undefined;
  const hint = hints[availability.why];
  const detail = `${model.id}: ${availability.why.replaceAll('_', ' ')}`;
  const because = { detail_code: availability.why, model_id: model.id };
  return rejected('MODEL_DISABLED', { detail, because, ...(hint ? { hint } : {}) });
}
