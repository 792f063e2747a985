// What an administrator reads at night, on a phone: nothing that matters is cut off.
import { expect, test } from 'vitest';
import type { Judged } from '../../src/diagnosis/admin-diagnostics.ts';
import type { ChainEvent } from '../../src/diagnosis/chain.ts';
import { renderDebug, renderDebugChain, renderDebugUser } from '../../src/ui/debug-screens.ts';
import { createTexts } from '../../src/ui/texts.ts';

const view = { locale: 'en', t: createTexts().for('en') } as const;
const cid = 'a1b2c3d4';
const at = new Date('2026-11-23T12:00:00Z');

function event(name: string): ChainEvent {
  return { at, name, level: 'INFO', spanId: '0123456789abcdef', fields: {} };
}

function judged(events: readonly ChainEvent[], sentence: string): Judged {
  return {
    chain: { cid, traceId: cid.repeat(4), events, spans: [] },
    verdict: { cause: 'cannot_tell', confidence: 'high', sentence, missing: [] },
  };
}

test('a long chain shows how it began and how it ended', () => {
  const events = [
    event('UPDATE_RECEIVED'),
    ...Array.from({ length: 300 }, () => event('TASK_PROGRESS')),
    event('TASK_FAILED'),
  ];
  const { text } = renderDebugChain({ cid, judged: [judged(events, 'why')], nothing: undefined }, view);
  expect(text).toContain('<pre>12:00:00.000 UPDATE_RECEIVED\n');
  expect(text).toContain('\n…\n');
  expect(text).toContain('12:00:00.000 TASK_FAILED</pre>');
});

test('a short chain is shown whole', () => {
  const events = Array.from({ length: 20 }, (_, index) => event(`EVENT_${index}`));
  const { text } = renderDebugChain({ cid, judged: [judged(events, 'why')], nothing: undefined }, view);
  for (const { name } of events) expect(text).toContain(`${name}`);
  expect(text).not.toContain('…');
});

test('a verdict is read to its end, where it says what to do', () => {
  const sentence = `${'because '.repeat(100)}; what to do: this`;
  const chain = renderDebugChain({ cid, judged: [judged([], sentence)], nothing: undefined }, view);
  const report = renderDebugUser({ who: cid, actions: [], complaint: [sentence] }, view);
  for (const { text } of [chain, report]) expect(text).toContain('what to do: this');
});

test('what the service warned of itself is a line of its own, the most frequent by name', () => {
  const warning = (operation: string | undefined, count: number) => ({
    event: operation === undefined ? 'LOCK_LOST' : 'SYSTEM_WARNING',
    operation,
    reasonCode: undefined,
    release: '1.0.0',
    count,
  });
  const { text } = renderDebug(
    {
      status: {
        mode: 'single',
        state: 'ACTIVE',
        epoch: 1,
        heartbeatAgeMs: undefined,
        queueDepth: 0,
        source: 'unreachable',
      },
      dashboard: {
        actions: [],
        newestCid: undefined,
        faults: 0,
        outcomes: 5,
        warnings: [
          warning('<count>', 20),
          warning(undefined, 3),
          warning('store update', 2),
          warning('other', 1),
        ],
        unread: undefined,
      },
      debugUntil: undefined,
    },
    view,
  );
  expect(text).toContain('Last hour: 0 faults of 5 outcomes');
  expect(text).toContain('Updates from Telegram: unreachable');
  expect(text).toContain(
    'the service itself: 26 warnings (SYSTEM_WARNING &lt;count&gt; 20, LOCK_LOST 3, SYSTEM_WARNING store update 2, …)',
  );
});
