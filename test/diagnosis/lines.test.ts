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
  expect(Date.now() - Number(events[0]?.at)).toBeLessThan(60_000);
});

const wrappings: readonly (readonly [string, (line: string) => string])[] = [
  ['docker compose logs', line => `bot-1  | 2026-11-23T14:03:22Z ${line}`],
  ['docker compose logs in colours', line => `\u001b[36mbot-1  | \u001b[0m\u001b[32m${line}\u001b[0m`],
  ["docker's json-file", line => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026' })],
  ['Render', line => `Nov 23 02:03:22 PM  [abc-{x}]  ${line}`],
  ['kubectl logs --prefix --timestamps', line => `[pod/bot-7d/bot] 2026-11-23T14:03:22Z ${line}`],
  ['a container runtime of Kubernetes', line => `2026-11-23T14:03:22.1Z stdout F ${line}`],
  ['journalctl', line => `Nov 23 14:03:22 host node[123]: ${line}`],
  ['journalctl -o json', line => JSON.stringify({ _PID: '1', MESSAGE: line, PRIORITY: '6' })],
  ['journalctl -o json of bytes', line => JSON.stringify({ MESSAGE: [...Buffer.from(line)], _PID: '1' })],
  ['logcli -o jsonl', line => JSON.stringify({ labels: { app: 'bot' }, line, timestamp: '2026' })],
  ['a list of objects', line => JSON.stringify([{ labels: { app: 'bot' }, data: { message: line } }])],
  ['CRLF', line => `${line}\r`],
];

test.each(
  wrappings.flatMap(([what, wrap]) => (['json', 'kv'] as const).map(format => ({ what, wrap, format }))),
)('what $what puts around lines in $format is passed over', async ({ wrap, format }) => {
  const lines = (await logOf(format)).map(line => line.trimEnd());
  const plain = parseLines(lines.join('\n'));
  expect(plain.events).toHaveLength(3);
  expect(parseLines(lines.map(wrap).join('\n'))).toEqual(plain);
});

test('a line in JSON that was written anew, in another order and with spaces, is read', async () => {
  const [line = ''] = await logOf('json');
  const { level, ...rest } = JSON.parse(line);
  const anew = JSON.stringify({ ...rest, level }, null, 1).replaceAll('\n', ' ');
  expect(parseLine(anew)).toEqual(parseLine(line));
  // As a log shipper that has read it.
  expect(parseLine(JSON.stringify({ time: '2026', log: { level, ...rest } }))).toEqual(parseLine(line));
});

test('several lines that were put into one are all read', async () => {
  const lines = await logOf('json');
  const list = JSON.stringify(lines.map(line => ({ line })));
  expect(parseLine(list).map(({ name }) => name)).toEqual([
    'UPDATE_RECEIVED',
    'SYSTEM_WARNING',
    'BALANCE_ADJUST',
  ]);
});

test.each([
  'Server listening on port 3000',
  '{"level":30,"time":1,"msg":"of another program"}',
  '{"level":"INFO","ts":"2026-11-23T14:03:22.000Z","name":"UPDATE_RECEIVED","trace_id":"0af7',
  'level=info msg="of another program"',
  'level=INFO ts=never name=UPDATE_RECEIVED trace_id=0af7651916cd43dd8448eb211c80319c span_id=1',
])('%j is foreign, and is counted', line => {
  expect(parseLines(`${line}\n\n`)).toEqual({ events: [], foreign: 1 });
});

test('chains are distinguished by their traces, and the newest comes first', () => {
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
