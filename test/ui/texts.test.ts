import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { MoveKind } from '../../src/billing/wallet.ts';
import { categories, mediaKinds } from '../../src/catalogue/schema.ts';
import { defaultLocale, localeOf, locales } from '../../src/locales.ts';
import { type ReasonCode, reasons, reasonText } from '../../src/otel/reasons.ts';
import { problems } from '../../src/pipeline/problem.ts';
import { commands } from '../../src/ui/registry.ts';
import type { MoneyAfterFailure } from '../../src/ui/screens.ts';
import { createTexts, escapeHtml } from '../../src/ui/texts.ts';

const source = new URL('../../src/', import.meta.url);

/** Key → the variables that its text inserts, of one locale. */
function readTexts(locale: string): Map<string, ReadonlySet<string>> {
  const fluent = readFileSync(new URL(`ui/locales/${locale}.ftl`, source), 'utf8');
  const entries = fluent.split(/^(?=[a-z][\w-]* =)/m).filter(entry => /^[a-z]/.test(entry));
  return new Map(
    entries.map(entry => [
      entry.slice(0, entry.indexOf(' =')),
      new Set([...entry.matchAll(/\{ (\$?[\w-]+) \}/g)].map(([, name]) => name ?? '')),
    ]),
  );
}

const texts = new Map(locales.map(locale => [locale, readTexts(locale)]));
const speaking = readTexts(defaultLocale);

/** Where the bot speaks. */
const code = ['bot', 'delivery', 'handlers', 'reception', 'telegram', 'ui']
  .flatMap(folder => readdirSync(new URL(folder, source)).map(name => `${folder}/${name}`))
  .filter(path => path.endsWith('.ts'))
  .map(path => readFileSync(new URL(path, source), 'utf8'))
  .join('\n');

test.each(locales)(
  '%s has the keys of the default locale in the same order, and each text inserts the same',
  locale => {
    expect(speaking.size).toBeGreaterThan(30);
    expect([...(texts.get(locale) ?? [])]).toEqual([...speaking]);
  },
);

test('each file of texts is of a locale', () => {
  const files = readdirSync(new URL('ui/locales', source));
  expect(files.sort()).toEqual(locales.map(locale => `${locale}.ftl`).sort());
});

/** One that is missing does not compile. */
const moneyAfterFailure = { returned: 0, charged: 0, untouched: 0 } satisfies Record<MoneyAfterFailure, 0>;
const moveKinds = {
  topup: 0,
  welcome: 0,
  adjust: 0,
  refund: 0,
  hold: 0,
  release: 0,
  charge: 0,
} satisfies Record<MoveKind, 0>;

/** Keys that are put together: from which start, and what they may become. */
const built: Readonly<Record<string, readonly string[]>> = {
  'category-': categories,
  'command-': Object.keys(commands),
  'confidence-': ['high', 'medium', 'low'],
  'confirm-wait-': mediaKinds,
  'form-': mediaKinds.flatMap(media => [media, `${media}-list`]),
  'hint-': problems.map(problem => problem.replaceAll('_', '-')),
  'money-': Object.keys(moneyAfterFailure),
  'move-': Object.keys(moveKinds),
};
const builtKeys = Object.entries(built).flatMap(([start, ends]) => ends.map(end => `${start}${end}`));

/** What stands where a key is expected: the call of a translator, and the hint of an outcome. */
const keyPlaces = [...code.matchAll(/(?:\bt\(|\bfor\([^()]*\)\(|\bkey:|\bhint:)([^,;{}]*)/g)]
  .map(([, place]) => place ?? '')
  .filter(place => !place.includes('=>'));
const namedKeys = new Set(
  keyPlaces.flatMap(place => [...place.matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)].map(([, key]) => key ?? '')),
);
const insertedKeys = [...speaking.values()].flatMap(names =>
  [...names].filter(name => !name.startsWith('$')),
);

test('every key that the code names or builds has a text', () => {
  expect(namedKeys.size).toBeGreaterThan(60);
  expect([...namedKeys, ...builtKeys].filter(key => !speaking.has(key))).toEqual([]);
});

test('every text is named, built or inserted', () => {
  const used = new Set([...namedKeys, ...builtKeys, ...insertedKeys]);
  expect([...speaking.keys()].filter(key => !used.has(key))).toEqual([]);
});

test('keys are built from the known starts only', () => {
  const starts = [...code.matchAll(/`([a-z]+(?:-[a-z]+)*-)\$\{/g)].map(([, start]) => start ?? '');
  expect(new Set(starts)).toEqual(new Set(Object.keys(built)));
});

describe.each(locales)('in %s', locale => {
  const t = createTexts().for(locale);

  test('every text is written out when its variables are given', () => {
    const keys = texts.get(locale) ?? speaking;
    for (const [key] of keys) {
      const variables = Object.fromEntries(
        [...keys.values()].flatMap(names => [...names]).map(name => [name.slice(1), `<${name.slice(1)}>`]),
      );
      const text = t(key, variables);
      expect(text, key).not.toBe('');
      expect(text, key).not.toMatch(/\{|\}|\$/);
      // Telegram shows bidi isolation marks as boxes on some clients.
      expect(text, key).not.toMatch(/[\u2066-\u2069]/);
    }
  });

  test('a text without variables is the same each time', () => {
    expect(t('button-help')).toBe(t('button-help'));
    expect(t('button-help')).not.toBe('');
  });

  test('a key that nobody has written is a defect', () => {
    expect(() => t('no-such-key')).toThrow();
  });

  test.each(Object.keys(reasons) as ReasonCode[])(
    'the reason %s fits into the answer to a tap, with the cid where it is a fault',
    code => {
      const text = reasonText(code, locale, 'a1b2c3d4');
      expect(text.length).toBeLessThanOrEqual(200);
      expect(text.length).toBeGreaterThan(3);
      expect(text.includes('a1b2c3d4')).toBe(reasons[code].fault);
      expect(text).not.toMatch(/[<>&]/);
    },
  );
});

test.each([
  ['en', 'en'],
  ['en-GB', 'en'],
  ['EN', 'en'],
  ['ru', 'ru'],
  ['en_US', 'en'],
  ['de', 'ru'],
  ['enm', 'ru'],
  ['', 'ru'],
  [undefined, 'ru'],
])('a profile in %j is spoken to in %s', (code, locale) => {
  expect(localeOf(code)).toBe(locale);
});

test('what a user wrote cannot become markup', () => {
  expect(escapeHtml('<b>&amp;</b> "quoted"')).toBe('&lt;b&gt;&amp;amp;&lt;/b&gt; "quoted"');
});
