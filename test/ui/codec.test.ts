import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { decodeButton, encodeButton, sanitizedData } from '../../src/ui/codec.ts';
import { type ArgsOf, type ButtonName, buttons } from '../../src/ui/registry.ts';

const modelKey = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const draft = fc.stringMatching(/^[A-Za-z0-9_-]{4,16}$/);
const task = fc.stringMatching(/^[A-Za-z0-9_-]{4,32}$/);
const integer = fc.nat({ max: 999_999_999 });

/** Arguments that each button takes; a button that is missing here does not compile. */
const argumentsOf: { readonly [B in ButtonName]: fc.Arbitrary<ArgsOf<B>> } = {
  category: fc.tuple(fc.stringMatching(/^[a-z]{1,12}$/)),
  page: fc.tuple(fc.stringMatching(/^[a-z]{1,12}$/), integer),
  best: fc.constant([]),
  free: fc.constant([]),
  search: fc.constant([]),
  balance: fc.constant([]),
  model: fc.tuple(modelKey),
  create: fc.tuple(modelKey),
  choose: fc.tuple(draft, integer, integer),
  done: fc.tuple(draft, integer),
  clear: fc.tuple(draft, integer),
  edit: fc.tuple(draft, integer, integer),
  options: fc.tuple(draft, integer),
  proceed: fc.tuple(draft, integer),
  generate: fc.tuple(draft, integer),
  again: fc.tuple(modelKey),
  retry: fc.tuple(task),
  original: fc.tuple(task),
  redeliver: fc.tuple(task),
  back: fc.constant([]),
  previous: fc.tuple(draft, integer),
  cancel: fc.tuple(draft, integer),
  menu: fc.constant([]),
  help: fc.constant([]),
  report: fc.constant([]),
  privacy: fc.constant([]),
  consent: fc.tuple(fc.constantFrom('on', 'off')),
  exportData: fc.constant([]),
  eraseAsk: fc.constant([]),
  erase: fc.constant([]),
  debugShow: fc.tuple(fc.stringMatching(/^[0-9a-f]{8}$/)),
  debugCid: fc.constant([]),
  debugOn: fc.constant([]),
  debugOff: fc.constant([]),
  debugClose: fc.constant([]),
};
const names = Object.keys(buttons) as ButtonName[];

describe.each(names)('the data of the button %s', name => {
  // SAFETY: the table pairs each button with its own arguments; only this dynamic look-up cannot be typed.
  const args = argumentsOf[name] as fc.Arbitrary<ArgsOf<ButtonName>>;

  test('decodes to what was encoded, and fits into the 64 bytes of Telegram', () => {
    fc.assert(
      fc.property(args, given => {
        const data = encodeButton(name, given);
        expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64);
        expect(decodeButton(data)).toEqual({ ok: true, button: name, args: given });
      }),
    );
  });

  test('does not decode with an argument more', () => {
    fc.assert(
      fc.property(args, fc.string(), (given, more) => {
        expect(decodeButton(`${encodeButton(name, given)}:${more}`)).toEqual({
          ok: false,
          reason: 'CALLBACK_PARSE_ERROR',
        });
      }),
    );
  });
});

test('every code belongs to one button only', () => {
  const codes = names.map(name => buttons[name].code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('any string decodes to a button whose data it is, or to a declared reason', () => {
  const version = fc.constantFrom('v1', 'v0', 'v2', 'v', '');
  const code = fc.oneof(fc.constantFrom(...names.map(name => buttons[name].code)), fc.string());
  const nearly = fc
    .tuple(version, code, fc.array(fc.oneof(draft, integer.map(String), fc.string())))
    .map(([first, second, rest]) => [first, second, ...rest].join(':'));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearly), data => {
      const decoded = decodeButton(data);
      if (!decoded.ok) {
        expect(['UNKNOWN_CALLBACK', 'CALLBACK_PARSE_ERROR', 'EXPIRED_MESSAGE']).toContain(decoded.reason);
        return;
      }
      // Numbers may have been written with leading zeros.
      expect(decodeButton([data.split(':', 2).join(':'), ...decoded.args].join(':'))).toEqual(decoded);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['test:unknown', 'UNKNOWN_CALLBACK'],
  ['v1:nosuch', 'UNKNOWN_CALLBACK'],
  ['v1:constructor', 'UNKNOWN_CALLBACK'],
  ['', 'UNKNOWN_CALLBACK'],
  ['v1', 'UNKNOWN_CALLBACK'],
  ['V1:menu', 'UNKNOWN_CALLBACK'],
  ['v0:menu', 'EXPIRED_MESSAGE'],
  ['v17:menu', 'EXPIRED_MESSAGE'],
  ['v1:cat', 'CALLBACK_PARSE_ERROR'],
  ['v1:cat:', 'CALLBACK_PARSE_ERROR'],
  ['v1:cat:IMAGE', 'CALLBACK_PARSE_ERROR'],
  ['v1:gen:draft:-1', 'CALLBACK_PARSE_ERROR'],
  ['v1:gen:draft:1e3', 'CALLBACK_PARSE_ERROR'],
  ['v1:gen:draft:9999999999', 'CALLBACK_PARSE_ERROR'],
  ['v1:menu:', 'CALLBACK_PARSE_ERROR'],
])('%j gives %s', (data, reason) => {
  expect(decodeButton(data)).toEqual({ ok: false, reason });
});

test.each([
  ['v1:cat:image', 'v1:cat:image'],
  ['v1:menu', 'v1:menu'],
  ['v1:cat:my secret:wish', 'v1:cat:text(14)'],
  ['v1:my secret', 'text(12)'],
  ['v0:menu', 'text(7)'],
  ['my secret', 'text(9)'],
])('of the data %j is told %j', (data, told) => {
  expect(sanitizedData(data)).toBe(told);
});

test('data that Telegram would refuse is not encoded', () => {
  const encode = () => encodeButton('model', ['я'.repeat(40)]);
  expect(encode).toThrow(AppError);
  expect(encode).toThrow(/button model has 87 bytes, Telegram allows 64/);
});
