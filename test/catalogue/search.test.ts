// The search: what users type, in either language, finds the models they mean.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Model } from '../../src/catalogue/schema.ts';
import { entry, picture, prompt } from './entries.ts';

// With a price for all, so that every model can be found.
const catalogue = createCatalogue();
catalogue.applySettings(
  catalogue.models.map(({ id }) => ({ modelId: id, credits: 1, disabledReason: null })),
);
const search = (query: string): readonly Model[] => catalogue.search(query, 200);
const takesPicture = ({ parameters }: Model): boolean =>
  parameters.some(parameter => parameter.type === 'files' && parameter.media === 'image');

test.each(['kling', 'KLING', ' Kling '])(
  'a name finds all models of that name, and nothing else: "%s"',
  query => {
    const found = search(query);
    expect(found.length).toBeGreaterThan(10);
    for (const { title } of found) expect(title).toMatch(/kling/i);
  },
);

test.each([
  ['картинка', 'image'],
  ['картинку', 'image'],
  ['музыка', 'music'],
  ['песню', 'music'],
  ['озвучить', 'audio'],
  ['аватар', 'avatar'],
] as const)('a word of a category finds its models first: "%s"', (query, category) => {
  const own = catalogue.inCategory(category);
  expect(search(query).slice(0, own.length)).toEqual(own);
});

test.each(['видео из фото', 'оживить фото', 'video from photo'])(
  'all words count: "%s" finds videos that take a picture',
  query => {
    const found = search(query);
    expect(found.length).toBeGreaterThan(10);
    for (const model of found.filter(({ category }) => category === 'video'))
      expect(takesPicture(model), model.title).toBe(true);
    expect(found[0]?.category).toBe('video');
  },
);

test.each([
  ['апскейл', 'Recraft Crisp Upscale'],
  ['убрать фон', 'Recraft Background Removal'],
  ['flux pro', 'Flux 2 Pro Image to Image'],
  ['nano banana pro', 'Google Nano Banana Pro'],
  ['4.5+', 'Suno V4.5+'],
  ['z-image', 'Z-Image'],
  ['veo', 'Veo 3.1 Quality'],
  ['voice', 'ElevenLabs Voice Isolation'],
])('"%s" finds %s first', (query, title) => {
  expect(search(query)[0]?.title).toBe(title);
});

test.each(['', ' ', 'k', ' k ', '...', 'для', 'kling nosuchword', 'xyzzy'])('"%s" finds nothing', query => {
  expect(search(query)).toEqual([]);
});

test('a whole word stands before a beginning, a title before a category, and at most the limit is returned', () => {
  const shop = createCatalogue({
    data: [
      entry('a', { title: 'Plain' }),
      entry('b', { title: 'Picturesque' }),
      entry('c', { title: 'Picture', parameters: [prompt, picture] }),
    ],
  });
  const keys = (limit: number): string[] => shop.search('picture', limit).map(({ key }) => key);
  expect(keys(10)).toEqual(['c', 'b', 'a']);
  expect(keys(2)).toEqual(['c', 'b']);
});
