// Reading what a user typed as a text, a number, a choice or a yes. Whether the value fits is decided in
// value-check.ts.
import { switchLabelOf, valueLabelOf } from '../catalogue/labels.ts';
import type { ParameterOf } from '../catalogue/schema.ts';
import { locales } from '../locales.ts';

/** jsonb holds neither NUL nor lone surrogates, and no model wants them. */
export function cleanText(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '')
    .trim();
}

/** Plain decimals with a point or a comma; no exponents, no hexadecimal, no grouping. */
const decimal = /^[+-]?\d{1,40}(\.\d{1,40})?$/;

export function readNumber(text: string): number | undefined {
  const plain = cleanText(text).replace(',', '.').replace('−', '-');
  // Adding zero turns −0, which JSON cannot hold, into 0.
  return decimal.test(plain) ? Number(plain) + 0 : undefined;
}

/** In any language, or a sign. */
const switchWords: ReadonlyMap<string, boolean> = new Map([
  ['+', true],
  ['-', false],
  ['−', false],
  ...locales.flatMap(locale =>
    [true, false].map((on): [string, boolean] => [folded(switchLabelOf(on, locale)), on]),
  ),
]);

export function readSwitch(text: string): boolean | undefined {
  return switchWords.get(folded(text));
}

/** A value or what it is called in any language, whatever the case; the supplier's own spelling goes first. */
export function readChoice(
  { name, values, unit }: ParameterOf<'choice'>,
  text: string,
): string | number | undefined {
  const typed = folded(text);
  const namesOf = (value: string | number): string[] => [
    String(value),
    ...locales.flatMap(locale => [
      valueLabelOf(name, value, locale),
      valueLabelOf(name, value, locale, unit),
    ]),
  ];
  return (
    values.find(value => String(value) === cleanText(text)) ??
    values.find(value => namesOf(value).some(known => folded(known) === typed))
  );
}

function folded(text: string): string {
  return cleanText(text).toLowerCase();
}
