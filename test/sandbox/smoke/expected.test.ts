import { describe, expect, test } from 'vitest';
import {
  commanded,
  type Expected,
  isDone,
  pressed,
  problemsOf,
  refusedTap,
} from '../../../sandbox/smoke/expected.ts';
import { drawCheck, drawSummary, isPassed } from '../../../sandbox/smoke/table.ts';
import type { Check } from '../../../sandbox/smoke/walk.ts';
import { event, helpCommand, helpTap, without } from './events.ts';

const help = pressed('help', 'MAIN_MENU');

test('a tap and a command with their whole story are as expected', () => {
  expect(problemsOf(helpTap, help)).toEqual([]);
  expect(problemsOf(helpCommand, commanded('help'))).toEqual([]);
});

describe('a chain with a hole', () => {
  test.each(helpTap.map(({ name }) => name))('a tap without %s fails, and the event is named', name => {
    expect(problemsOf(without(helpTap, name), help).join()).toContain(name);
  });

  test.each(helpCommand.map(({ name }) => name))(
    'a command without %s fails, and the event is named',
    name => {
      expect(problemsOf(without(helpCommand, name), commanded('help')).join()).toContain(name);
    },
  );

  test('fails where single events are expected, too', () => {
    const expected: Expected = { events: ['QUEUE_PICK', 'DISPATCH_FAIL'], reason: 'DOWNSTREAM_ERROR' };
    const failed = [event('QUEUE_PICK'), event('DISPATCH_FAIL', { reason_code: 'DOWNSTREAM_ERROR' })];
    expect(problemsOf(failed, expected)).toEqual([]);
    expect(isDone(without(failed, 'QUEUE_PICK'), expected)).toBe(false);
    expect(problemsOf(without(failed, 'QUEUE_PICK'), expected)).toEqual(['QUEUE_PICK is missing']);
    expect(problemsOf(without(failed, 'DISPATCH_FAIL'), expected)).toEqual([
      'DISPATCH_FAIL is missing',
      'no event has reason_code=DOWNSTREAM_ERROR',
    ]);
  });

  test('fails the whole run, with the event in its table', () => {
    const check: Check = {
      kind: 'button',
      what: 'MAIN_MENU: help',
      expected: 'SUCCESS → HELP',
      seen: 'SUCCESS',
      cid: 'a1b2c3d4',
      problems: problemsOf(without(helpTap, 'UI_RENDER'), help),
    };
    expect(isPassed({ checks: [check], leftovers: [] })).toBe(false);
    expect(textOf(drawCheck(check))).toContain('UI_RENDER is there 0 times, not once');
    const summary = { checks: [check], leftovers: [], steps: 1, updates: 1, tookMs: 1 };
    expect(textOf(drawSummary(summary))).toContain('smoke test failed: 1 of its checks');
  });
});

test('an update that never arrived is reported as that', () => {
  expect(problemsOf([], help)).toEqual(['the bot has not received the update: UPDATE_RECEIVED is missing']);
});

test('another screen than the one that was walked to, or promised, is reported', () => {
  expect(problemsOf(helpTap, pressed('help', 'PROCESSING'))).toEqual([
    'it was tapped on MAIN_MENU, not on PROCESSING',
  ]);
  const astray = helpTap.map(line => (line.name === 'UI_RENDER' ? { ...line, screen_id: 'BEST' } : line));
  expect(problemsOf(astray, help)).toEqual(['it leads to BEST, not to HELP']);
});

test('an accepted tap where a refusal was expected fails', () => {
  expect(problemsOf(helpTap, refusedTap('STATE_MISMATCH'))).toContain(
    'DISPATCH_OK has reason_code=SUCCESS, not STATE_MISMATCH',
  );
});

test('a run without any check has not passed', () => {
  expect(isPassed({ checks: [], leftovers: [] })).toBe(false);
});

function textOf(lines: ReturnType<typeof drawCheck>): string {
  return lines.map(line => line.map(({ text }) => text).join('')).join('\n');
}
