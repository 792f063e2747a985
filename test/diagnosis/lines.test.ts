// Reading a log: both formats give the same events, whatever stands around them.
import { expect, test } from 'vitest';
import { chainsOf, isSampled } from '../../src/diagnosis/chain.ts';
import { parseLine, parseLines } from '../../src/diagnosis/lines.ts';
import type { LogFormat } from '../../src/otel/logger.ts';
import { recordTelemetry } from '../support/telemetry.ts';

/** What a program writes that does some work in a span. */
async function logOf(format: LogFormat): Promise<readonly string[]> {
  const { telemetry, output } = recordTelemetry({ format });
  await telemetry.inSpan(
    'update command',
    { root: true, fields: { update_id: 12, user_hash: '01234567' } },
    async () => {
      telemetry.emit('UPDATE_RECEIVED', { update_id: 12, event_type: 'command' });
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'leave a group',
        error_type: 'E',
        error_message: 'a "quoted" a=b\nand a second line, кириллица',
      });
      telemetry.emit('BALANCE_ADJUST', { amount: -5 });
    },
  );
  return output;
}

test.each(['json', 'kv'] as const)('lines in %s give their fields back', async format => {
  const { events, foreign } = parseLines((await logOf(format)).join(''));
  expect(foreign).toBe(0);
  expect(events.map(({ name, level }) => [name, level])).toEqual([
    ['UPDATE_RECEIVED', 'INFO'],
    ['SYSTEM_WARNING', 'WARNING'],
    ['BALANCE_ADJUST', 'INFO'],
  ]);
  expect(events[0]?.fields).toMatchObject({ update_id: 12, user_hash: '01234567', event_type: 'command' });
  expect(events[1]?.fields.error_message).toBe('a "quoted" a=b\nand a second line, кириллица');
  expect(events[2]?.fields.amount).toBe(-5);
  expect(Date.now() - Number(events[0]?.at)).toBeLessThan(10_000);
});

test.each(['json', 'kv'] as const)(
  'what a platform writes before lines in %s is passed over',
  async format => {
    const [line = ''] = await logOf(format);
    expect(parseLine(`bot-1  | 2026-11-23T14:03:22Z ${line}`)?.name).toBe('UPDATE_RECEIVED');
  },
);

test.each([
  'Server listening on port 3000',
  '{"level":30,"time":1,"msg":"of another program"}',
  '{"level":"INFO","ts":"2026-11-23T14:03:22.000Z","name":"UPDATE_RECEIVED","trace_id":"0af7',
  'level=info msg="of another program"',
  'level=INFO ts=never name=UPDATE_RECEIVED trace_id=0af7651916cd43dd8448eb211c80319c span_id=1',
])('%j is foreign, and is counted', line => {
  expect(parseLines(`${line}\n\n`)).toEqual({ events: [], foreign: 1 });
});

test('chains are told apart by their traces, and the newest comes first', () => {
  const line = (trace: string, second: number, flags: number) =>
    JSON.stringify({
      level: 'INFO',
      ts: `2026-11-23T14:03:0${second}.000Z`,
      name: 'UPDATE_RECEIVED',
      trace_id: trace,
      span_id: '1',
      trace_flags: flags,
    });
  const [older, newer] = [`aaaaaaaa${'1'.repeat(24)}`, `aaaaaaaa${'2'.repeat(24)}`];
  const { events } = parseLines([line(newer, 5, 0), line(older, 2, 0), line(older, 1, 1)].join('\n'));
  const chains = chainsOf(events);
  expect(chains.map(({ cid, traceId }) => [cid, traceId])).toEqual([
    ['aaaaaaaa', newer],
    ['aaaaaaaa', older],
  ]);
  expect(chains[1]?.events.map(({ at }) => at.getSeconds())).toEqual([1, 2]);
  expect(chains.map(isSampled)).toEqual([false, true]);
});
