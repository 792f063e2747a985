// The contract of events at run time: in development and test an event against it throws, with all that is wrong.
import { expect, test } from 'vitest';
import type { EventName } from '../../src/otel/events.ts';
import type { Telemetry } from '../../src/otel/telemetry.ts';
import { startBot } from '../support/bot.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const defects: readonly [string, EventName | 'NO_SUCH_EVENT', object, RegExp][] = [
  ['lacks a field', 'BOOT_OK', { operation: 'webhook' }, /duration_ms is missing/],
  [
    'has undefined in place of one',
    'BOOT_OK',
    { operation: undefined, duration_ms: 1 },
    /operation is missing/,
  ],
  ['has an empty one', 'BOOT_OK', { operation: '', duration_ms: 1 }, /operation is empty/],
  [
    'has an optional one that is empty',
    'SHUTDOWN',
    { operation: 'SIGTERM', duration_ms: 1, error_type: '' },
    /error_type is empty/,
  ],
  [
    'has one of another event',
    'BOOT_OK',
    { operation: 'webhook', duration_ms: 1, task_id: 't' },
    /task_id is no field of it/,
  ],
  [
    'has one that nobody knows',
    'BOOT_OK',
    { operation: 'webhook', duration_ms: 1, colour: 'red' },
    /colour is no field/,
  ],
  [
    'has text where a number belongs',
    'BOOT_OK',
    { operation: 'webhook', duration_ms: '1' },
    /duration_ms is no number/,
  ],
  [
    'has a number that is none',
    'BOOT_OK',
    { operation: 'webhook', duration_ms: Number.NaN },
    /duration_ms is no number/,
  ],
  ['has a number where text belongs', 'BOOT_OK', { operation: 1, duration_ms: 1 }, /operation is no text/],
  [
    'gives a reason that there is not',
    'PRE_CHECKOUT',
    { result: 'accepted', reason_code: 'VALIDATION_FAIL' },
    /reason_code cannot be VALIDATION_FAIL/,
  ],
  ['has several faults', 'BOOT_OK', { operation: '' }, /duration_ms is missing, operation is empty/],
  ['is not in the list', 'NO_SUCH_EVENT', {}, /no event NO_SUCH_EVENT/],
];

// SAFETY: what a cast elsewhere could let through is what this is about.
const emit = ({ emit: emitAny }: Telemetry, name: string, fields: object): void =>
  emitAny(name as 'BOOT_OK', fields as never);

test.each(defects)('an event that %s is refused where it is checked', (_case, name, fields, problem) => {
  const { telemetry, lines } = recordTelemetry({ checked: true });
  expect(() => emit(telemetry, name, fields)).toThrow(problem);
  expect(lines).toEqual([]);
});

test('texts that may say nothing are no defect', () => {
  const { telemetry, lines } = recordTelemetry({ checked: true });
  telemetry.emit('ANSWER_CALLBACK_QUERY', { result: 'accepted', text: '', reason_detail: undefined });
  telemetry.emit('BOOT_FAIL', { error_type: 'Error', error_message: '' });
  expect(lines.map(({ name }) => name)).toEqual(['ANSWER_CALLBACK_QUERY', 'BOOT_FAIL']);
});

test('fields that surround events are checked likewise', async () => {
  const { telemetry } = recordTelemetry({ checked: true });
  const work = async (): Promise<void> => undefined;
  // SAFETY: as above.
  const span = telemetry.inSpan('dispatch update', { fields: { colour: 'red' } as never }, work);
  await expect(span).rejects.toThrow(/colour is unknown/);
  expect(() => telemetry.annotate({ task_id: '' })).toThrow(/task_id is empty/);
});

test.each([
  ['test', true],
  ['development', true],
  ['production', false],
])('with NODE_ENV=%s the program checks its events: %s', async (environment, checks) => {
  await using bot = await startBot({ environment: { NODE_ENV: environment, HOST: '127.0.0.1' } });
  const wrong = (): void => emit(bot.app.telemetry, 'BOOT_OK', { operation: '', colour: 'red' });
  if (checks) expect(wrong).toThrow(/operation is empty/);
  else {
    wrong();
    expect(bot.lines.at(-1)).toMatchObject({ name: 'BOOT_OK', operation: '', colour: 'red' });
  }
});
