// Lines of the release that had no detail codes lead to the same verdicts as before.
import { expect, test } from 'vitest';
import { withCodes } from '../../src/otel/lines-before-codes.ts';

test.each([
  ['CALLBACK_REJECTED', 'expected draft a revision 1, got no open form', { detail_code: 'form_closed' }],
  [
    'CALLBACK_REJECTED',
    'expected draft a revision 1, got draft a revision 2',
    { detail_code: 'form_changed' },
  ],
  ['CALLBACK_REJECTED', 'expected MAIN_MENU, got CONFIRM', { detail_code: 'screen_changed' }],
  ['CALLBACK_REJECTED', 'the quote', { detail_code: 'quote_expired' }],
  ['DISPATCH_OK', 'z-image: price unknown', { detail_code: 'price_unknown', model_id: 'z-image' }],
  ['DISPATCH_OK', '30 kopecks', { detail_code: 'balance_short', amount: 30 }],
  ['DISPATCH_OK', 'missing: prompt, image', { detail_code: 'missing' }],
  ['PARAM_VALIDATION_FAILED', 'too_long', { detail_code: 'too_long' }],
  [
    'DISPATCH_FAIL',
    'Telegram sendMessage: 403 Forbidden: bot was blocked by the user',
    { detail_code: 'blocked_by_user' },
  ],
  [
    'DISPATCH_FAIL',
    'Telegram sendMessage: 403 Forbidden: user is deactivated',
    { detail_code: 'user_unreachable' },
  ],
  ['KIE_CALLBACK', 'timestamp_off', { detail_code: 'timestamp_off' }],
  ['TASK_FAILED', 'KIE.ai answered 402', { supplier_code: 402 }],
  ['TASK_FAILED', 'empty_result', { detail_code: 'empty_result' }],
  [
    'DELIVERY_FAILED',
    'Telegram sendPhoto: 400 Bad Request: chat not found',
    { detail_code: 'chat_not_found', next_attempt: 'none' },
  ],
  ['DELIVERY_FAILED', '429; will be tried again in 310 s', { next_attempt: 'scheduled' }],
  ['DELIVERY_FAILED', 'was sent or will be tried again elsewhere', { next_attempt: 'elsewhere' }],
])('of a %s the words “%s” stand for what is a field now', (name, said, added) => {
  const fields = { name, reason_detail: said };
  expect(withCodes(name, fields)).toEqual({ ...fields, ...added });
});

test('a line with a code is taken at its word, whatever its detail says', () => {
  const fields = { detail_code: 'form_changed', reason_detail: 'the quote' };
  expect(withCodes('CALLBACK_REJECTED', fields)).toBe(fields);
  const failed = {
    next_attempt: 'none',
    detail_code: 'chat_not_found',
    reason_detail: 'will be tried again',
  };
  expect(withCodes('DELIVERY_FAILED', failed)).toBe(failed);
});

test('words that nobody knows are left as they are', () => {
  const fields = { reason_detail: 'something else' };
  expect(withCodes('CALLBACK_REJECTED', fields)).toEqual(fields);
  expect(withCodes('UI_RENDER', fields)).toBe(fields);
});
