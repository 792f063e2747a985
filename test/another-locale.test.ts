// A language more in the list, with texts of its own: every place that goes through languages has it without being told.
// What has no texts yet does not compile: missing-locale.test.ts.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from 'grammy';
import { afterAll, expect, test } from 'vitest';
import labels from '../src/catalogue/labels.json' with { type: 'json' };
import models from '../src/catalogue/models.json' with { type: 'json' };
import { defaultLocale, type Locale, languageTags, localeOf, locales } from '../src/locales.ts';

// SAFETY: the list is a list of strings like any other while the program runs; only the types know what is in it.
const esperanto = 'eo' as Locale;
(locales as unknown as Locale[]).push(esperanto);
Object.assign(languageTags, { [esperanto]: 'eo' });
Object.assign(labels.switch.true, { [esperanto]: 'Jes' });
Object.assign(labels.switch.false, { [esperanto]: 'Ne' });
for (const words of [labels.categoryWords, labels.inputWords, labels.titleWords].flatMap(Object.values))
  Object.assign(words, { [esperanto]: [] });
Object.assign(labels.categoryWords.music, { [esperanto]: ['muziko'] });
for (const { description } of models) if (description) Object.assign(description, { [esperanto]: 'Rapide' });

// These look into the list when they are read.
const { createTexts } = await import('../src/ui/texts.ts');
const { formatMoney } = await import('../src/billing/money-text.ts');
const { readSwitch } = await import('../src/pipeline/answer-values.ts');
const { createCatalogue } = await import('../src/catalogue/catalogue.ts');
const { modelSchema } = await import('../src/catalogue/schema.ts');
const { followUpSchema } = await import('../src/inbox/follow-up.ts');
const { dispatchSnapshotSchema } = await import('../src/bot/dispatch-snapshot.ts');
const { registerCommands } = await import('../src/telegram/registration.ts');
const { localeFrom, localeUsage } = await import('../src/cli/chain-words.ts');
const { createSearch } = await import('../src/catalogue/search.ts');

const folder = await mkdtemp(join(tmpdir(), 'trt-locales-'));
afterAll(() => rm(folder, { recursive: true }));
for (const locale of locales) {
  const file = new URL(`../src/ui/locales/${locale === esperanto ? 'en' : locale}.ftl`, import.meta.url);
  const fluent = await readFile(file, 'utf8');
  const start = locale === esperanto ? 'Malfermi la menuon' : '$1';
  await writeFile(join(folder, `${locale}.ftl`), fluent.replace(/(?<=^command-start = )(.*)$/m, start));
}
const texts = createTexts(folder);

test('a user of that language gets it, and others get what they had', () => {
  expect(localeOf('eo')).toBe(esperanto);
  expect(localeOf('EO-mondo')).toBe(esperanto);
  expect(localeOf('en-GB')).toBe('en');
  expect(localeOf('de')).toBe(defaultLocale);
});

test('its texts are found', () => {
  expect(texts.for(esperanto)('command-start')).toBe('Malfermi la menuon');
  expect(texts.for('en')('command-start')).not.toBe('Malfermi la menuon');
});

test('sums are written as it writes them', () => {
  expect(formatMoney(123_450, esperanto)).toMatch(/^1\s?234,50\s*₽$/u);
});

test('its yes and no are understood, and its words find models', () => {
  expect([readSwitch('jes'), readSwitch('NE'), readSwitch('yes'), readSwitch('да')]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  const found = createSearch(createCatalogue().models)('muziko');
  expect(new Set(found.map(({ category }) => category))).toEqual(new Set(['music']));
});

test('the catalogue asks a description of a model for its words in it', () => {
  const { description } = modelSchema.shape;
  expect(description.safeParse({ ru: 'а', en: 'a' }).success).toBe(false);
  expect(description.safeParse({ ru: 'а', en: 'a', eo: 'a' }).success).toBe(true);
});

test('what is stored in it is read in it', () => {
  expect(followUpSchema.parse({ kind: 'export', locale: 'eo' })).toEqual({ kind: 'export', locale: 'eo' });
  const user = { language: 'eo', blocked: false };
  expect(dispatchSnapshotSchema.parse({ user })).toEqual({ user });
});

test('what is stored in a language of a newer release is read in the default one', () => {
  expect(followUpSchema.parse({ kind: 'export', locale: 'xx' })).toMatchObject({ locale: defaultLocale });
  expect(dispatchSnapshotSchema.parse({ user: { language: 'xx', blocked: false } })).toMatchObject({
    user: { language: defaultLocale },
  });
});

test('Telegram is given its commands', async () => {
  const lists: unknown[] = [];
  const api = new Api('1:token');
  api.config.use((_previous, _method, payload) => {
    lists.push(payload);
    return Promise.resolve({ ok: true, result: true as never });
  });
  await registerCommands(api, texts, []);
  expect(lists).toHaveLength(locales.length + 1);
  expect(lists).toContainEqual({
    language_code: 'eo',
    commands: expect.arrayContaining([{ command: 'start', description: 'Malfermi la menuon' }]),
  });
});

test('an engineer can ask in it', () => {
  expect(localeFrom('eo')).toBe(esperanto);
  expect(localeUsage).toBe('[--locale ru|en|eo]');
  expect(() => localeFrom('xx')).toThrow('xx is no locale: it is ru, en, or eo');
});
