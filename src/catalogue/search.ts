// Finds models by what a user types: words of the title or the id first, then what the model makes and takes, in
// any language. Every word must be found, so that a longer query finds less. An ending does not matter:
// "картинку" finds what "картинка" finds.
import { type Localized, locales } from '../locales.ts';
import { wordsOfCategory, wordsOfInput, wordsOfTitleWord } from './labels.ts';
import { type Category, type Model, mediaKinds } from './schema.ts';

export type Search = (query: string) => readonly Model[];

interface SearchEntry {
  readonly model: Model;
  readonly words: readonly { readonly stem: string; readonly weight: number }[];
}

const minQueryLength = 2;
const weights = { title: 8, id: 4, titleMeaning: 3, category: 2, input: 1 };
/** They say nothing about a model, and stand in titles: "text to image". */
const fillersOf: Localized<readonly string[]> = {
  ru: ['из', 'в', 'на', 'по', 'с', 'и', 'для'],
  en: ['a', 'an', 'the', 'to', 'from', 'of', 'for'],
};
const fillers = new Set(locales.flatMap(locale => fillersOf[locale]));

/** Best matches first, equal ones in the order given. */
export function createSearch(models: readonly Model[]): Search {
  const stems: Record<string, string[]> = {};
  for (const kind of mediaKinds) stems[kind] = wordsOfInput(kind).map(stemOf);
  const categoryStems = new Map<Category, string[]>();
  const entries = models.map((model): SearchEntry => {
    const ofCategory = categoryStems.get(model.category) ?? wordsOfCategory(model.category).map(stemOf);
    categoryStems.set(model.category, ofCategory);
    const inputs = model.parameters.flatMap(parameter =>
      parameter.type === 'files' && !parameter.advanced ? (stems[parameter.media] ?? []) : [],
    );
    return {
      model,
      words: [
        ...weighted(stemsOf(model.title), weights.title),
        ...weighted(stemsOf(model.id), weights.id),
        ...weighted(meaningsOf(model.title), weights.titleMeaning),
        ...weighted(ofCategory, weights.category),
        ...weighted([...new Set(inputs)], weights.input),
      ],
    };
  });
  return query => {
    if (query.trim().length < minQueryLength) return [];
    const wanted = stemsOf(query);
    if (wanted.length === 0) return [];
    return entries
      .map(({ model, words }) => ({ model, score: scoreOf(words, wanted) }))
      .filter(({ score }) => score > 0)
      .sort((one, other) => other.score - one.score)
      .map(({ model }) => model);
  };
}

function weighted(stems: readonly string[], weight: number): SearchEntry['words'] {
  return stems.map(stem => ({ stem, weight }));
}

/** 0 when a word is not found; a whole word counts twice as much as a beginning. */
function scoreOf(words: SearchEntry['words'], wanted: readonly string[]): number {
  let total = 0;
  for (const stem of wanted) {
    let best = 0;
    for (const word of words)
      if (word.stem.startsWith(stem)) best = Math.max(best, word.weight * (word.stem === stem ? 2 : 1));
    if (best === 0) return 0;
    total += best;
  }
  return total;
}

function meaningsOf(title: string): string[] {
  return wordsOf(title).flatMap(word => wordsOfTitleWord(word).map(stemOf));
}

function stemsOf(text: string): string[] {
  return wordsOf(text).map(stemOf);
}

/** Without fillers, and without the v of a version: "V4.5" is found by "4.5". */
function wordsOf(text: string): string[] {
  const words = text
    .toLowerCase()
    .replaceAll('ё', 'е')
    .split(/[^\p{L}\p{N}.+]+/u);
  return words.map(word => word.replace(/^v(?=\d)/, '')).filter(word => word !== '' && !fillers.has(word));
}

/** Without a Russian ending: enough for words of a catalogue. */
function stemOf(word: string): string {
  const plain = word.toLowerCase().replaceAll('ё', 'е');
  return plain.length < 4
    ? plain
    : plain.replace(/(?<=[а-я]{3})(ами|ями|ого|ов|ей|ой|ах|ях|ом|ем|[аяоеыиуюйь])$/, '');
}
