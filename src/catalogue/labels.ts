// What users read of a model's parameters: label, question and values, by language, from labels.json. Texts
// hang on the supplier's names of the parameters, so that a new model mostly finds its texts there. A text of a
// category stands before the common one: a song is not described in the words of a picture.
import { type Locale, type Localized, locales } from '../locales.ts';
import labelsData from './labels.json' with { type: 'json' };
import type { Category, MediaKind, Model, Scalar } from './schema.ts';

type Words = Localized<readonly string[]>;

interface ParameterTexts {
  /** One to three words. */
  readonly label: Localized;
  /** One sentence that the user is asked. */
  readonly question: Localized;
  /** One text for all languages where it is a name. */
  readonly values?: Readonly<Record<string, Localized | string>>;
  readonly in?: Readonly<
    Partial<Record<Category, { readonly label?: Localized; readonly question?: Localized }>>
  >;
}

interface Labels {
  /** What users type when they look for a category, and for models that take such a file. */
  readonly categoryWords: Readonly<Record<Category, Words>>;
  readonly inputWords: Readonly<Record<MediaKind, Words>>;
  /** What users type for a word of a title. */
  readonly titleWords: Readonly<Record<string, Words>>;
  /** Values that mean the same in every parameter. */
  readonly values: Readonly<Record<string, Localized>>;
  readonly switch: Readonly<Record<'true' | 'false', Localized>>;
  readonly units: Readonly<Record<'s', Localized>>;
  readonly parameters: Readonly<Record<string, ParameterTexts>>;
}

const labels: Labels = labelsData;
const parameterTexts = new Map(Object.entries(labels.parameters));
const commonValues = new Map(Object.entries(labels.values));
const valuesOf = new Map(
  [...parameterTexts].map(([name, texts]) => [name, new Map(Object.entries(texts.values ?? {}))]),
);

const titleWords = new Map(Object.entries(labels.titleWords));

/** What users type when they look for a category, in any language. */
export function wordsOfCategory(category: Category): string[] {
  return inAnyLanguage(labels.categoryWords[category]);
}

/** The same of models that take such a file. */
export function wordsOfInput(media: MediaKind): string[] {
  return inAnyLanguage(labels.inputWords[media]);
}

/** What users type for a word of a title; nothing for most words. */
export function wordsOfTitleWord(word: string): string[] {
  const words = titleWords.get(word);
  return words ? inAnyLanguage(words) : [];
}

/** A user may write in another language than the one of their Telegram. */
function inAnyLanguage(words: Words): string[] {
  return locales.flatMap(locale => words[locale]);
}

/** The short name of a parameter. An unknown one, which no valid catalogue has, is its own label. */
export function labelOf(name: string, locale: Locale, category?: Category): string {
  const texts = parameterTexts.get(name);
  const own = category && texts?.in?.[category]?.label;
  return (own ?? texts?.label)?.[locale] ?? name;
}

/** The sentence that asks for a parameter. */
export function questionOf(name: string, locale: Locale, category?: Category): string {
  const texts = parameterTexts.get(name);
  const own = category && texts?.in?.[category]?.question;
  return (own ?? texts?.question)?.[locale] ?? name;
}

/** Yes or No. */
export function switchLabelOf(on: boolean, locale: Locale): string {
  return labels.switch[on ? 'true' : 'false'][locale];
}

/** A value as users read it: `true` is Yes, 5 with the unit `s` is "5 s". What has no text of its own stays as it is. */
export function valueLabelOf(name: string, value: Scalar, locale: Locale, unit?: 's'): string {
  if (typeof value === 'boolean') return switchLabelOf(value, locale);
  const text = valuesOf.get(name)?.get(String(value)) ?? commonValues.get(String(value)) ?? String(value);
  const label = typeof text === 'string' ? text : text[locale];
  return unit === undefined ? label : `${label} ${labels.units[unit][locale]}`;
}

/** Parameters of a model that have no texts. */
export function unlabelled({ parameters }: Model): string[] {
  return parameters.map(({ name }) => name).filter(name => !parameterTexts.has(name));
}
