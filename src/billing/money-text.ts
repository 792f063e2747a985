// Kopecks as users read them. Amounts are integers everywhere else.
import { type Locale, languageTags, localized } from '../locales.ts';

const formats = localized(locale => createFormat(languageTags[locale]));

/** `1234` → `12,34 ₽` or `₽12.34`; whole roubles without kopecks. */
export function formatMoney(kopecks: number, locale: Locale): string {
  return formats[locale].format(kopecks / 100);
}

function createFormat(languageTag: string): Intl.NumberFormat {
  return new Intl.NumberFormat(languageTag, {
    style: 'currency',
    currency: 'RUB',
    currencyDisplay: 'narrowSymbol',
    trailingZeroDisplay: 'stripIfInteger',
  });
}
