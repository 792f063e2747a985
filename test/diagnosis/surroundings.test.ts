// Which events of processes are near a chain.
import { expect, test } from 'vitest';
import { chainsOf } from '../../src/diagnosis/chain.ts';
import {
  isProcessEvent,
  periodsAround,
  processEventsAround,
  surroundingsOfEvents,
} from '../../src/diagnosis/surroundings.ts';
import { after, chain, eventsOf, processEvent, tapped } from './hand-made.ts';

/** A chain with an event at each of these times. */
function chainAt(...times: readonly number[]) {
  const [event] = eventsOf('TASK_PROGRESS');
  const [made] = chainsOf(event ? times.map(time => ({ ...event, at: after(time) })) : []);
  return made ?? expect.fail('no chain');
}

const seconds = (...times: readonly number[]): number[] => times.map(time => time * 1_000);

test('a chain has a minute before it and after it', () => {
  expect(periodsAround(chain(...tapped))).toEqual([{ since: after(-60_000), until: after(60_030) }]);
});

test('a pause of more than two minutes parts two periods, a shorter one does not', () => {
  expect(periodsAround(chainAt(...seconds(0, 120, 400)))).toEqual([
    { since: after(-60_000), until: after(180_000) },
    { since: after(340_000), until: after(460_000) },
  ]);
});

test('of many periods the first and the last are looked at', () => {
  const periods = periodsAround(chainAt(...seconds(0, 1_000, 2_000, 3_000, 4_000, 5_000)));
  expect(periods.map(({ since }) => since)).toEqual(seconds(-60, 940, 3_940, 4_940).map(time => after(time)));
});

test('near are events of the period that are not of the chain itself, in the order of time', () => {
  const own = chain(...tapped);
  const near = [processEvent('LOCK_LOST', 59_000), processEvent('LOCK_ACQUIRED', -59_000)];
  const processEvents = [
    ...near,
    processEvent('SHUTDOWN', 61_000),
    processEvent('SHUTDOWN', 0, { trace_id: own.traceId }),
  ];
  expect(processEventsAround({ processEvents }, own).map(({ name }) => name)).toEqual([
    'LOCK_ACQUIRED',
    'LOCK_LOST',
  ]);
});

test("a warning beside an update is that update's own, but for a database that fails", () => {
  const warning = (fields: object) => processEvent('SYSTEM_WARNING', 0, { operation: 'x', ...fields });
  expect(isProcessEvent(warning({}))).toBe(true);
  expect(isProcessEvent(warning({ update_id: 7 }))).toBe(false);
  expect(isProcessEvent(warning({ update_id: 7, reason_code: 'DB_ERROR' }))).toBe(true);
  expect(isProcessEvent(processEvent('QUEUE_FULL', 0))).toBe(true);
  expect(isProcessEvent(processEvent('DEBUG_COMMAND', 0))).toBe(false);
});

test('a log alone tells the time of asking and its processes', () => {
  const events = [...eventsOf(...tapped), processEvent('LOCK_LOST', 500)];
  expect(surroundingsOfEvents(events)).toEqual({ now: after(500), processEvents: [events.at(-1)] });
});
