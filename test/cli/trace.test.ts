// `trt trace`, over a source of chains that is handed in: what is printed for one, for several, for a duplicate.
import { expect, test } from 'vitest';
import { createTrace } from '../../src/cli/trace.ts';
import { type Chain, type ChainEvent, chainsOf } from '../../src/diagnosis/chain.ts';
import {
  after,
  chain,
  chainWith,
  done,
  eventsOf,
  processEvent,
  type Step,
  tapped,
  traceId,
} from '../diagnosis/hand-made.ts';

const cid = traceId.slice(0, 8);

async function trace(chains: readonly Chain[], ...words: string[]) {
  return traceAmong([], chains, ...words);
}

/** With what processes have told around the time of each. */
async function traceAmong(nearby: readonly ChainEvent[], chains: readonly Chain[], ...words: string[]) {
  const output: string[] = [];
  const complaint: string[] = [];
  const asked: string[] = [];
  const command = createTrace((_terminal, work) =>
    work({
      async byCid(wanted) {
        asked.push(wanted);
        return chains.filter(candidate => candidate.cid === wanted);
      },
      processEvents: async () => nearby,
    }),
  );
  const isDone = await command.run(words, {
    environment: {},
    print: text => void output.push(text),
    complain: text => void complaint.push(text),
    async *readLines() {},
    hasColours: false,
  });
  return { isDone, output: output.join('\n'), complaint: complaint.join('\n'), asked };
}

/** A chain of another trace. */
function chainOf(otherTraceId: string, ...steps: readonly Step[]): Chain {
  const events = eventsOf(...steps).map(event => ({
    ...event,
    fields: { ...event.fields, trace_id: otherTraceId, cid: otherTraceId.slice(0, 8) },
  }));
  return chainsOf(events)[0] ?? expect.fail('no chain');
}

test('one chain is shown with its verdict, its events and its spans', async () => {
  const span = {
    traceId,
    spanId: 'b7ad6b7169203331',
    parentSpanId: undefined,
    name: 'dispatch update',
    startedAt: after(20),
    durationMs: 12.34,
    failed: true,
  };
  const { isDone, output } = await trace([chainWith([span], ...tapped, done)], cid);
  expect(isDone).toBe(true);
  expect(output).toContain(`cid ${cid}  trace ${traceId}  2026-11-23T14:03:22.000Z`);
  expect(output).toContain('done, confidence high');
  expect(output).toMatch(/^\+40 +INFO +DISPATCH_OK +result=accepted reason_code=SUCCESS latency_ms=40/m);
  expect(output).toMatch(/^dispatch update +20 +12\.3 +✗ +█/m);
  expect(output).not.toContain('not sampled');
});

test('several traces of one cid are listed, and each is shown', async () => {
  const twin = chainOf(`${cid}${'b'.repeat(24)}`, ...tapped);
  const { output } = await trace([twin, chain(...tapped, done)], cid);
  expect(output).toMatch(/^when +cid +events +trace_id$/m);
  expect(output.match(/^cid /gm)).toHaveLength(2);
});

test('a trace id names one of them', async () => {
  const twin = chainOf(`${cid}${'b'.repeat(24)}`, ...tapped);
  const { output, asked } = await trace([twin, chain(...tapped, done)], traceId.toUpperCase());
  expect(asked).toEqual([cid]);
  expect(output.match(/^cid .*$/gm)).toEqual([expect.stringContaining(traceId)]);
});

test('a duplicate is followed to the update that it repeats', async () => {
  const duplicate = chainOf(`dddddddd${'1'.repeat(24)}`, 'UPDATE_RECEIVED', [
    'UPDATE_DUPLICATE',
    { original_cid: cid },
  ]);
  const { output } = await trace([duplicate, chain(...tapped, done)], 'dddddddd');
  expect(output.match(/^cid \w{8}/gm)).toEqual(['cid dddddddd', `cid ${cid}`]);
});

test('a trace that was not sampled is said to be missing in Jaeger', async () => {
  const unsampled = chain(...tapped.map(name => [name, { trace_flags: 0 }] as const));
  expect((await trace([unsampled], cid)).output).toContain('was not sampled: Jaeger does not have it');
});

test('JSON is one line for each chain', async () => {
  const { output } = await trace([chain(...tapped, done)], cid, '--json');
  expect(JSON.parse(output)).toMatchObject({ cid, trace_id: traceId, sampled: true, spans: [] });
});

test('what processes reported around that time stands apart, marked, and the verdict names it', async () => {
  const warning = { operation: 'store update', reason_code: 'DB_ERROR', error_type: '57P03' };
  const nearby = [
    processEvent('BOOT_OK', -300_000, { operation: 'single' }),
    processEvent('LOCK_ACQUIRED', -1_500, { lock_epoch: 7 }),
    processEvent('SYSTEM_WARNING', 100, warning),
    processEvent('SYSTEM_WARNING', 200, warning),
    processEvent('SHUTDOWN', 900, { operation: 'SIGTERM' }),
    processEvent('SHUTDOWN', 950, { trace_id: traceId, operation: 'of the chain itself' }),
  ];
  const { output } = await traceAmong(nearby, [chain(...tapped)], cid);
  expect(output).toContain('database_lost, confidence medium');
  expect(output).toContain('(near in time: LOCK_ACQUIRED, SYSTEM_WARNING store update, SHUTDOWN SIGTERM)');
  const [, apart = ''] = output.split(/^nearby: .*outside of this chain$/m);
  expect(apart.trim().split('\n').slice(1)).toEqual([
    expect.stringMatching(/^~ -1500 +INFO +LOCK_ACQUIRED +instance_id=trt-1 lock_epoch=7$/),
    expect.stringMatching(/^~ \+100 +WARNING +SYSTEM_WARNING ×2 +instance_id=trt-1 operation=store update /),
    expect.stringMatching(/^~ \+900 +INFO +SHUTDOWN +instance_id=trt-1 operation=SIGTERM$/),
  ]);
  const json = JSON.parse((await traceAmong(nearby, [chain(...tapped)], cid, '--json')).output);
  expect(json.nearby.map(({ name }: { name: string }) => name)).toEqual([
    'LOCK_ACQUIRED',
    'SYSTEM_WARNING',
    'SYSTEM_WARNING',
    'SHUTDOWN',
  ]);
});

test('a chain of any length and depth is shown', async () => {
  const count = 150_000;
  const spans = Array.from({ length: count }, (_, index) => ({
    traceId,
    spanId: String(index),
    parentSpanId: index === 0 ? undefined : String(index - 1),
    name: 'task poll',
    startedAt: after(index),
    durationMs: 1,
    failed: false,
  }));
  const picks = Array.from({ length: count }, () => eventsOf(['QUEUE_PICK', { attempt: 2 }]));
  const events = [...eventsOf(...tapped), ...picks.flat()];
  const { isDone, output } = await trace(chainsOf(events, spans), cid);
  expect(isDone).toBe(true);
  expect(output.match(/ QUEUE_PICK .*attempt=2/g)).toHaveLength(count);
  expect(output.match(/^ *task poll /gm)).toHaveLength(count);
  expect(output).toMatch(/^\w+, confidence low/m);

  const lost = Array.from({ length: count }, () => processEvent('LOCK_LOST', 5));
  const stranded = await traceAmong(lost, [chain('UPDATE_RECEIVED', 'QUEUE_ENQUEUE')], cid);
  expect(stranded.output).toContain('unpicked_in_replacement, confidence');
});

test('what nobody knows is said to be unknown', async () => {
  const { isDone, output, complaint } = await trace([], cid);
  expect({ isDone, output }).toEqual({ isDone: false, output: '' });
  expect(complaint).toContain(`Nothing is known of ${cid}`);
});

test.each([[[]], [['xyz']], [[cid, cid]], [[cid, '--locale', 'de']]])('%j makes no sense', async words => {
  await expect(trace([], ...words)).rejects.toThrow(/cid|locale/);
});
