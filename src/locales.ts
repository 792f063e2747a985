// The languages that users are spoken to in: one list, in the order in which they are gone through. A text stands either
// in src/ui/locales/<locale>.ftl or, beside what it is about, in a `Localized`: a language without a text does not compile.
import { z } from 'zod';

export const locales = ['ru', 'en'] as const;
export type Locale = (typeof locales)[number];

/** One value for each language. */
export type Localized<T = string> = Readonly<Record<Locale, T>>;

/** For users whose language is none of ours, and for users of whom nothing is known. */
export const defaultLocale: Locale = 'ru';

/** BCP 47, for `Intl`: how numbers and sums are written. */
export const languageTags: Localized = { ru: 'ru-RU', en: 'en-GB' };

/** A value made for each language. */
export function localized<T>(make: (locale: Locale) => T): Localized<T> {
  // SAFETY: one entry for each language of the list.
  return Object.fromEntries(locales.map(locale => [locale, make(locale)])) as Localized<T>;
}

/**
 * By the `language_code` of a Telegram user, an IETF tag such as `en-GB`; the default for any other and for none. What is
 * stored goes through here too: a release that runs beside the next one meets languages that it does not have yet.
 */
export function localeOf(languageCode: unknown): Locale {
  if (typeof languageCode !== 'string') return defaultLocale;
  const [language] = languageCode.toLowerCase().split(/[-_]/);
  return locales.find(locale => locale === language) ?? defaultLocale;
}

/** A stored language. */
export const localeSchema = z.string().transform(localeOf);
