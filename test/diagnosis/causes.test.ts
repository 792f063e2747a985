// The list of causes is complete: every reason code and every event is told by one, and every text can be filled in.
import { expect, test } from 'vitest';
import type { CauseDefinition } from '../../src/diagnosis/cause.ts';
import { causes } from '../../src/diagnosis/causes.ts';
import { factsOf } from '../../src/diagnosis/facts.ts';
import { filled } from '../../src/diagnosis/sentence-values.ts';
import { events } from '../../src/otel/events.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { chain, done, tapped } from './hand-made.ts';

/** Steps that tell of nothing by themselves: detail for those who read the whole chain. */
const detailOnly = [
  'CALLBACK_ROUTED',
  'STATE_BEFORE',
  'TELEGRAM_CALL',
  'RENDER_DROPPED',
  'KIE_CALL',
  'DEBUG_COMMAND',
  'DEBUG_ENABLED',
  'PROBLEM_REPORTED',
  'DEBUG_DISABLED',
];

const entries: readonly (readonly [string, CauseDefinition])[] = Object.entries(causes);

test('every reason code is told by a cause', () => {
  const told = new Set(entries.flatMap(([, cause]) => cause.reasons));
  expect(Object.keys(reasons).filter(code => !told.has(code as keyof typeof reasons))).toEqual([]);
});

test('every event is told by a cause, or is known to be detail', () => {
  const told = new Set<string>(entries.flatMap(([, cause]) => cause.events));
  expect(Object.keys(events).filter(name => !told.has(name) && !detailOnly.includes(name))).toEqual([]);
});

test.each(entries)('%s can be told in both languages, without an end inside its clauses', (_name, cause) => {
  const facts = factsOf(chain(...tapped, done));
  for (const locale of ['ru', 'en'] as const) {
    const { what, next } = cause[locale];
    for (const text of [what, next]) {
      expect(filled(text, facts, locale)).not.toMatch(/[{}]/);
      expect(text).not.toMatch(/\.(\s|$)/);
      expect(text.trim()).not.toBe('');
    }
    expect(/\p{Script=Cyrillic}/u.test(what + next)).toBe(locale === 'ru');
  }
});
