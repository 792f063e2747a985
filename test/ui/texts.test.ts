import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { categories } from '../../src/catalogue/schema.ts';
import { type ReasonCode, reasons, reasonText } from '../../src/otel/reasons.ts';
import { commands } from '../../src/ui/registry.ts';
import { createTexts, escapeHtml, localeOf, locales } from '../../src/ui/texts.ts';

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

const russian = readTexts('ru');
const english = readTexts('en');

test('both locales have the same keys in the same order, and each text inserts the same', () => {
  expect(russian.size).toBeGreaterThan(30);
  expect([...english]).toEqual([...russian]);
});

test('every key that the code names has a text, and every text is named by the code', () => {
  const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.startsWith('sandbox'))
    .map(path => readFileSync(new URL(path, source), 'utf8'))
    .join('\n');
  const named = new Set(
    [...code.matchAll(/(?:\bt\(|hint: |\)\(|\? |: )\s*'([a-z]+(?:-[a-z]+)+|processing|help)'/g)].map(
      ([, key]) => key ?? '',
    ),
  );
  const built = [
    ...categories.map(category => `category-${category}`),
    ...Object.keys(commands).map(command => `command-${command}`),
    ...['too-short', 'too-long', 'not-a-choice'].map(problem => `hint-${problem}`),
    // Inserted by another text.
    'form-question',
  ];
  const known = new Set(russian.keys());
  const called = [...code.matchAll(/\bt\(\s*'([^']+)'/g)].map(([, key]) => key ?? '');
  expect(called.length).toBeGreaterThan(15);
  expect([...called, ...built].filter(key => !known.has(key))).toEqual([]);
  expect([...known].filter(key => !named.has(key) && !called.includes(key) && !built.includes(key))).toEqual(
    [],
  );
});

describe.each(locales)('in %s', locale => {
  const t = createTexts().for(locale);

  test('every text is written out when its variables are given', () => {
    const keys = locale === 'ru' ? russian : english;
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
  ['de', 'ru'],
  ['', 'ru'],
  [undefined, 'ru'],
])('a profile in %j is spoken to in %s', (code, locale) => {
  expect(localeOf(code)).toBe(locale);
});

test('what a user wrote cannot become markup', () => {
  expect(escapeHtml('<b>&amp;</b> "quoted"')).toBe('&lt;b&gt;&amp;amp;&lt;/b&gt; "quoted"');
});
