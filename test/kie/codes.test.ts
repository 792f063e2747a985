import { describe, expect, test } from 'vitest';
import { codeMeanings, generationFailure, meaningOf, refusalReason } from '../../src/kie/codes.ts';
import { reasons } from '../../src/otel/reasons.ts';

describe('codes', () => {
  test('every documented code has a meaning', () => {
    expect([...codeMeanings.keys()]).toEqual([
      200, 400, 401, 402, 404, 422, 429, 433, 451, 455, 500, 501, 505,
    ]);
  });

  test('only a request limit and maintenance promise that an order may be sent again', () => {
    const repeatable = [...codeMeanings].filter(([, meaning]) => meaning.createMayBeRetried);
    expect(repeatable.map(([code]) => code)).toEqual([429, 455]);
  });

  test('our empty account never reads as the empty wallet of the user', () => {
    expect(meaningOf(402).reason).toBe('SERVICE_PAUSED');
  });

  test('words about a policy turn only those refusals around that look at content', () => {
    expect(meaningOf(422, 'violates our content policy').reason).toBe('CONTENT_REJECTED');
    expect(meaningOf(999, 'sensitive content').reason).toBe('CONTENT_REJECTED');
    expect(meaningOf(429, 'see our rate limit policy').reason).toBe('RATE_LIMIT');
    expect(meaningOf(401, 'access policy').kind).toBe('account');
  });

  test('only what was accepted has certainly cost credits, and errors behind the door may have', () => {
    const chargeOf = (charge: string): number[] =>
      [...codeMeanings].filter(([, meaning]) => meaning.charge === charge).map(([code]) => code);
    expect(chargeOf('charged')).toEqual([200]);
    expect(chargeOf('unknown')).toEqual([500, 501]);
    expect(meaningOf(418).charge).toBe('unknown');
    expect(meaningOf(500, 'prohibited content')).toMatchObject({ kind: 'content', charge: 'unknown' });
  });

  test('the user reads of money only where it is the own wallet', () => {
    for (const { reason } of codeMeanings.values())
      for (const text of Object.values(reasons[reason].text))
        expect(text).not.toMatch(/balance|money|refund|charge|средств|баланс|деньг|списа|верн[уё]т/i);
  });

  test('the reason of a refusal is read from its details, and foreign details give a plain one', () => {
    expect(refusalReason({ code: 505, reason: 'MODEL_DISABLED' })).toBe('MODEL_DISABLED');
    expect(refusalReason({ reason: 'toString' })).toBe('DOWNSTREAM_ERROR');
    expect(refusalReason({})).toBe('DOWNSTREAM_ERROR');
  });
});

describe('failures of a generation', () => {
  test.each([
    ['', 'Your request was flagged'],
    ['400', 'This prompt is prohibited.'],
    ['500', 'NSFW content detected'],
    ['422', 'Content violates usage policies'],
    ['content_policy_violation', ''],
    ['501', 'blocked by moderation'],
    ['400', 'public error prominent people upload'],
    ['400', 'public error minor upload'],
    ['400', 'PUBLIC_ERROR_UNSAFE image'],
  ])('%j %j is a content refusal', (failCode, failMsg) => {
    expect(generationFailure(failCode, failMsg).reason).toBe('CONTENT_REJECTED');
  });

  test.each([
    ['500', 'Internal Error', 'DOWNSTREAM_ERROR', '500'],
    ['505', '', 'MODEL_DISABLED', '505'],
    ['422', 'bad size', 'VALIDATION_FAILED', '422'],
    ['422', 'the field is case-sensitive', 'VALIDATION_FAILED', '422'],
    ['200', 'strange', 'DOWNSTREAM_ERROR', '200'],
    ['GPU_LOST', 'insensitive', 'DOWNSTREAM_ERROR', 'GPU_LOST'],
    ['', '', 'DOWNSTREAM_ERROR', 'none'],
    ['a free text\n', '', 'DOWNSTREAM_ERROR', 'unprintable'],
    [451, null, 'FILE_UNREACHABLE', '451'],
    [null, undefined, 'DOWNSTREAM_ERROR', 'none'],
  ])('%j %j is %s with code %s', (failCode, failMsg, reason, code) => {
    expect(generationFailure(failCode, failMsg)).toEqual({ reason, code });
  });
});
