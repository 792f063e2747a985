// Kopecks as users read them. Amounts are integers everywhere else.
import type { Locale } from '../locales.ts';

const formats: Readonly<Record<Locale, Intl.NumberFormat>> = {
  ru: createFormat('ru-RU'),
  en: createFormat('en-GB'),
};

/** `1234` → `12,34 ₽` or `₽12.34`; whole roubles without kopecks. */
export function formatMoney(kopecks: number, locale: Locale): string {
  return formats[locale].format(kopecks / 100);
}

function createFormat(language: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, {
    style: 'currency',
    currency: 'RUB',
    currencyDisplay: 'narrowSymbol',
    trailingZeroDisplay: 'stripIfInteger',
  });
}
