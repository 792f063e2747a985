// The bot's texts in Fluent, by locale and key. Values that are inserted must be escaped for HTML by the
// caller when they come from outside; `escapeHtml` is here for that.
import { fileURLToPath } from 'node:url';
import { I18n } from '@grammyjs/i18n';
import { defaultLocale, type Locale, localized } from '../locales.ts';

export type Translate = (key: string, variables?: Readonly<Record<string, string | number>>) => string;

export interface Texts {
  /** Throws for a key that no locale has, because a missing text is a defect. */
  for(locale: Locale): Translate;
}

const ownDirectory = fileURLToPath(new URL('./locales', import.meta.url));

/** Of `<locale>.ftl` in `directory`. */
export function createTexts(directory = ownDirectory): Texts {
  const i18n = new I18n({
    defaultLocale,
    directory,
    // Telegram shows the bidi isolation marks as boxes on some clients.
    fluentBundleOptions: { useIsolating: false },
  });
  const translators = localized(locale => createTranslate(i18n, locale));
  return { for: locale => translators[locale] };
}

/** Texts without variables are the same each time, and negotiating the locale costs more than the text. */
function createTranslate(i18n: I18n, locale: Locale): Translate {
  const fixed = new Map<string, string>();
  const translate: Translate = (key, variables) => {
    const text = i18n.t(locale, key, variables);
    // The library only warns, and gives the key in braces.
    if (text === `{${key}}`) throw new Error(`No locale has the text ${key}`);
    return text;
  };
  return (key, variables) => {
    if (variables) return translate(key, variables);
    const known = fixed.get(key);
    if (known !== undefined) return known;
    const text = translate(key);
    fixed.set(key, text);
    return text;
  };
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** For Telegram's HTML parse mode. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, character => entities[character] ?? character);
}
