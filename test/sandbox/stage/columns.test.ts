import { expect, test } from 'vitest';
import { beside, span, widthOf, wrap } from '../../../sandbox/stage/columns.ts';

test('pictures among the letters take two cells, symbols one', () => {
  expect(widthOf('🎨 Pictures')).toBe(11);
  expect(widthOf('◀ Back')).toBe(6);
});

test('a text is broken at spaces, at its own line ends, and within words that are too long', () => {
  expect(wrap('one two three\nfour abcdefghij', 7)).toEqual(['one two', 'three', 'four', 'abcdefg', 'hij']);
});

test('what terminals disagree about is left out before it is measured', () => {
  expect(wrap('⚠\u{FE0F} careful', 20)).toEqual(['⚠ careful']);
});

test('the right column begins in the same cell on each line, also where the left has ended', () => {
  const lines = beside([[span('🚀')]], [[span('a')], [span('b')]], 6);
  expect(lines.map(line => line.map(({ text }) => text).join(''))).toEqual(['🚀     │ a', '       │ b']);
});
