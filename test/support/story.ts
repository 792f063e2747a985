// What became of one update: its cid, and its events up to the one that ends it. Reading a story checks what
// holds for every update: one cid, one trace, and the fields that each of its events must bear.
import { expect } from 'vitest';
import type { SentUpdate } from '../../sandbox/telegram/index.ts';
import type { BotUnderTest, Line } from './bot.ts';
import { waitFor } from './bot.ts';
import { openSpans } from './record-spans.ts';

export interface Story {
  readonly cid: string;
  /** The names of its events, in their order. */
  readonly chain: readonly string[];
  /** The only event of that name; fails when there is none or another. */
  line(name: string): Line;
}

const intake = ['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', 'DISPATCH_START'] as const;

/** The whole chain of a tap, from the events that tell what the tap did. */
export const tapChain = (...events: string[]): string[] => [...intake, 'CALLBACK_RECEIVED', ...events];

/** The whole chain of a command or a message. */
export const messageChain = (...events: string[]): string[] => [...intake, ...events];

/** The whole chain of a tap that shows a screen. */
export const acceptedTap = tapChain(
  'CALLBACK_ROUTED',
  'CALLBACK_ACCEPTED',
  'ANSWER_CALLBACK_QUERY',
  'UI_RENDER',
  'DISPATCH_OK',
);

/** The whole chain of the tap on Run, up to its own end: a task, its price held. */
export const acceptedRun = tapChain(
  'CALLBACK_ROUTED',
  'TASK_CREATED',
  'BALANCE_HOLD',
  'CALLBACK_ACCEPTED',
  'ANSWER_CALLBACK_QUERY',
  'UI_RENDER',
  'DISPATCH_OK',
);

/** What a task with a result tells at its end: it is paid. */
export const paidTask = ['TASK_COMPLETED', 'BALANCE_CHARGE'] as const;

/** What a task without one tells: the money is back. */
export const unpaidTask = ['TASK_FAILED', 'BALANCE_RELEASE'] as const;

/** Waits for the end of the update, or for the event of its task that is given instead. */
export async function storyOf(bot: BotUnderTest, sent: SentUpdate, ...until: string[]): Promise<Story> {
  const cid = await bot.cidOf(sent.updateId);
  await bot.waitForEvent(cid, ...(until.length > 0 ? until : ['DISPATCH_OK', 'DISPATCH_FAIL']));
  const lines = bot.linesOf(cid);
  assertOneTrace(bot, sent.updateId, lines);
  return {
    cid,
    chain: lines.map(({ name }) => name),
    line(name) {
      const [line, another] = lines.filter(candidate => candidate.name === name);
      if (!line || another)
        expect.fail(`${another ? 'Several' : 'No'} ${name} in ${bot.chainOf(cid).join(', ')}`);
      return line;
    },
  };
}

function assertOneTrace(bot: BotUnderTest, updateId: number, lines: readonly Line[]): void {
  const ofUpdate = bot.lines.filter(line => line.update_id === updateId);
  expect(new Set(ofUpdate.map(({ cid }) => cid)).size).toBe(1);
  expect(new Set(lines.map(line => line.trace_id)).size).toBe(1);
  for (const line of ofUpdate) {
    expect(line, line.name).toMatchObject({
      event_type: expect.stringMatching(/^(message|command|text_input|callback_query|my_chat_member)$/),
      user_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
      chat_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
      bot_state: 'ACTIVE',
      // What administrators do is of the system, and what went wrong in it; what happens to everybody else is not.
      domain: /^(DEBUG_|SYSTEM_WARNING$)/.test(line.name)
        ? 'SYSTEM'
        : expect.stringMatching(/^(UX|MODEL|WEBHOOK|QUEUE|BILLING)$/),
    });
    expect(line.msg).toContain(`cid=${line.cid} domain=${String(line.domain)}`);
  }
}

/** Resolves when no span of the trace is open any more. */
export function traceEnded(bot: BotUnderTest, cid: string): Promise<true> {
  const open = (): string[] =>
    [...openSpans.values()].filter(({ traceId }) => traceId.startsWith(cid)).map(({ name }) => name);
  return waitFor(
    `the end of trace ${cid}`,
    () => (bot.spansOf(cid).length > 0 && open().length === 0) || undefined,
    () => `Open: ${open().join(', ')}`,
  );
}

/** How the update ended, after how many picks. Waits for the end: the user sees its screen a moment before. */
export function outcomeOf(
  bot: BotUnderTest,
  { updateId }: SentUpdate,
): Promise<{ outcome: string; reason_code: string; attempts: number }[]> {
  return waitFor(`the outcome of update ${updateId}`, async () => {
    const rows = await bot.database.query<{ outcome: string; reason_code: string; attempts: number }>(
      'select outcome, reason_code, attempts from updates where update_id = $1 and outcome is not null',
      [updateId],
    );
    return rows.length > 0 ? rows : undefined;
  });
}
