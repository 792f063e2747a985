// The languages that users are spoken to in: one list, in the order in which they are gone through. A text stands either
// in src/ui/locales/<locale>.ftl or, beside what it is about, in a `Localized`: a language without a text does not compile.

export const locales = ['ru', 'en'] as const;
export type Locale = (typeof locales)[number];

/** One value for each language. */
export type Localized<T = string> = Readonly<Record<Locale, T>>;

/** For users whose language is none of ours, and for users of whom nothing is known. */
export const defaultLocale: Locale = 'ru';

/** BCP 47, for `Intl`: how numbers and sums are written. */
export const languageTags: Localized = { ru: 'ru-RU', en: 'en-GB' };

/** By the `language_code` of a Telegram user, an IETF tag such as `en-GB`; the default for any other and for none. */
export function localeOf(languageCode: unknown): Locale {
  if (typeof languageCode !== 'string') return defaultLocale;
  const [language] = languageCode.toLowerCase().split(/[-_]/);
  return locales.find(locale => locale === language) ?? defaultLocale;
}
