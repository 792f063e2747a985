import { expect, test } from 'vitest';
import {
  hasOutcome,
  placesOfButtons,
  unfinishedUpdates,
  untouchedButtons,
} from '../../../sandbox/smoke/leftovers.ts';
import { event, helpCommand, helpTap, without } from './events.ts';

test('updates with one outcome, taps with one answer and events of no update leave nothing over', () => {
  expect(unfinishedUpdates([helpTap, helpCommand, [event('BOOT_OK')]])).toEqual([]);
});

test('an update without an outcome is named by its cid', () => {
  const lost = without(helpCommand, 'DISPATCH_OK');
  expect(hasOutcome(lost)).toBe(false);
  expect(unfinishedUpdates([lost])).toEqual(['cid=a1b2c3d4 (command): the update has 0 outcomes, not one']);
});

test('a tap without an answer, or with two, is named', () => {
  const answer = event('ANSWER_CALLBACK_QUERY');
  expect(unfinishedUpdates([without(helpTap, 'ANSWER_CALLBACK_QUERY')])).toEqual([
    'cid=a1b2c3d4 (callback_query): the tap has 0 answers, not one',
  ]);
  expect(unfinishedUpdates([[...helpTap, answer]])).toEqual([
    'cid=a1b2c3d4 (callback_query): the tap has 2 answers, not one',
  ]);
});

test('the silence guard has nothing to do', () => {
  expect(unfinishedUpdates([[...helpTap, event('SILENCE_GUARD_WARNING')]])).toEqual([
    'cid=a1b2c3d4 (callback_query): the silence guard had to step in',
  ]);
});

test('the refusal of a tap while no instance works is its end', () => {
  const refused = [
    event('UPDATE_RECEIVED', { event_type: 'callback_query' }),
    event('CALLBACK_REJECTED', { reason_code: 'PASSIVE_REJECT' }),
    event('ANSWER_CALLBACK_QUERY'),
  ];
  expect(unfinishedUpdates([refused])).toEqual([]);
});

test('a button that was accepted on all screens but one is missed on that one only', () => {
  const taps = placesOfButtons().map(({ screen, button }) =>
    event('CALLBACK_ACCEPTED', { screen_id: screen, action_id: button }),
  );
  const withoutHelp = taps.filter(tap => !(tap.screen_id === 'MAIN_MENU' && tap.action_id === 'help'));
  expect(untouchedButtons([taps])).toEqual([]);
  expect(untouchedButtons([withoutHelp])).toEqual(['the button help was never pressed on MAIN_MENU']);
});

test('a tap that was refused counts as no press', () => {
  const refused = event('CALLBACK_REJECTED', { screen_id: 'MAIN_MENU', action_id: 'help' });
  expect(untouchedButtons([[refused]])).toHaveLength(placesOfButtons().length);
});
