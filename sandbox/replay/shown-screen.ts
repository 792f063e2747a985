// Draws the screen that a message showed then, from what is known of it. Of some screens too little is: they are left
// out, because a message drawn wrong would be distinguished from its successor where the real one was not.
import { createPriceList } from '../../src/billing/price-list.ts';
import type { Catalogue } from '../../src/catalogue/catalogue.ts';
import { categories } from '../../src/catalogue/schema.ts';
import type { Config } from '../../src/config/config.ts';
import type { Locale } from '../../src/locales.ts';
import type { Form } from '../../src/pipeline/form.ts';
import type { PastWallet } from '../../src/storage/past-store.ts';
import type { RenderedScreen } from '../../src/ui/keyboard.ts';
import { renderScreen } from '../../src/ui/render.ts';
import type { ScreenId, ScreenRecord } from '../../src/ui/screens.ts';
import { createTexts } from '../../src/ui/texts.ts';
import type { View } from '../../src/ui/view.ts';

export interface Known {
  readonly record: ScreenRecord;
  /** The open form, if it is the one that the message shows. */
  readonly form: Form | undefined;
  readonly wallet: PastWallet;
}

type Draw = (known: Known, view: View) => RenderedScreen | undefined;

const drawings: Readonly<Partial<Record<ScreenId, Draw>>> = {
  MAIN_MENU: (_known, view) => renderScreen('MAIN_MENU', {}, view),
  BEST: (_known, view) => renderScreen('BEST', {}, view),
  FREE: (_known, view) => renderScreen('FREE', {}, view),
  HELP: (_known, view) => renderScreen('HELP', {}, view),
  UPDATING: (_known, view) => renderScreen('UPDATING', {}, view),
  CATEGORY_PICK({ record }, view) {
    const category = categories.find(name => name === record.category);
    return category && renderScreen('CATEGORY_PICK', { category, page: record.page ?? 0 }, view);
  },
  MODEL_PICK({ record: { model } }, view) {
    return model === undefined ? undefined : renderScreen('MODEL_PICK', { model }, view);
  },
  PARAMS_FORM: ({ form }, view) => form && renderScreen('PARAMS_FORM', { form }, view),
  OPTIONS: ({ form }, view) => form && renderScreen('OPTIONS', { form }, view),
  CONFIRM({ form, wallet: { available } }, view) {
    const price = form?.quote?.kopecks;
    return form && price !== undefined
      ? renderScreen('CONFIRM', { form, price, available }, view)
      : undefined;
  },
  PROCESSING({ record: { task, model } }, view) {
    return task === undefined || model === undefined
      ? undefined
      : renderScreen('PROCESSING', { task, model }, view);
  },
  PRIVACY_ERASE: ({ wallet: { available } }, view) => renderScreen('PRIVACY_ERASE', { available }, view),
};

/** As the bot draws it, in `locale`. */
export function createView(catalogue: Catalogue, rates: Config['money']['rates'], locale: Locale): View {
  const { startingPrice } = createPriceList({ catalogue, rates });
  return { locale, t: createTexts().for(locale), catalogue, startingPrice };
}

/** undefined where too little is known, or the model has left the catalogue. */
export function drawShown(screen: ScreenId, known: Known, view: View): RenderedScreen | undefined {
  const { model } = known.record;
  if (model !== undefined && !view.catalogue.byKey(model)) return undefined;
  return drawings[screen]?.(known, view);
}
