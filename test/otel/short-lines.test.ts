// The short form of a span's lines loses nothing: expanded they are what they were, to the character.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandLines, shortHead } from '../../src/otel/short-lines.ts';

const cid = ',"cid":"a1b2c3d4"';

test('what stood in the line before is left out, and what was added to it is not', () => {
  expect(shortHead(cid, '')).toBe(cid);
  expect(shortHead(cid, cid)).toBe('');
  expect(shortHead(`${cid},"screen_id":"HELP"`, cid)).toBe(',"screen_id":"HELP"');
});

test('what does not go on from the line before stands whole', () => {
  const another = ',"cid":"0f0f0f0f","screen_id":"HELP"';
  expect(shortHead(another, cid)).toBe(another);
  expect(shortHead(`,"task_id":"t"${cid}`, cid)).toBe(`,"task_id":"t"${cid}`);
});

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const field = fc.tuple(word, fc.string()).map(([name, value]) => `,"${name}_id":${JSON.stringify(value)}`);
/** What lines have in common: from a cid on, more and more of it, and now and then something else altogether. */
const heads = fc
  .array(fc.record({ fields: fc.array(field, { maxLength: 2 }), isNew: fc.boolean() }), { maxLength: 6 })
  .map(steps => {
    let head = cid;
    return steps.map(({ fields, isNew }) => {
      head = (isNew ? `,"cid":"${steps.length}"` : head) + fields.join('');
      return head;
    });
  });

test('expanded, all lines of a span are what they were', () => {
  fc.assert(
    fc.property(heads, fc.string(), (given, text) => {
      const start = '{"level":"INFO","ts":"2026-11-23T14:03:22.000Z"';
      const own = `,"name":"UI_RENDER","text":${JSON.stringify(text)}}`;
      const short = given.map((head, index) => start + shortHead(head, given[index - 1] ?? '') + own);
      expect(expandLines(short.join('\n'))).toBe(given.map(head => start + head + own).join('\n'));
    }),
  );
});

test.each([
  '',
  'no line of this program',
  '{"level":"INFO","ts":"t","name":"BOOT_OK"}',
  '{"level":"INFO","ts":"t","bot_state":"ACTIVE","name":"BOOT_OK"}',
])('%j stays as it is', line => {
  expect(expandLines(line)).toBe(line);
});
