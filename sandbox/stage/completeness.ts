// Owns the question whether a chain of events is the whole story of an update: from its receipt to exactly one
// outcome, with an answer to a tap, with the reason that was expected, with what was ordered delivered, and with
// what it cost reserved once and then either paid or given back, to the kopeck.
// Pure: looks at the events of one cid and says in words what is missing.
import type { EventName } from '../../src/otel/events.ts';
import type { ReasonCode } from '../../src/otel/reasons.ts';
import type { EventLine } from './event-log.ts';

export interface Expectation {
  readonly kind: 'command' | 'message' | 'tap';
  /** The reason code the update must end with. */
  readonly reason: ReasonCode;
  /** The generation that the update starts: what the user gets in the end, and why. */
  readonly task?: { readonly delivers: 'result' | 'failure'; readonly reason: ReasonCode };
  /** What the update causes besides, each once. */
  readonly also?: readonly EventName[];
}

const outcomes = ['DISPATCH_OK', 'DISPATCH_FAIL'] as const satisfies EventName[];
const taskEnds = ['TASK_COMPLETED', 'TASK_FAILED'] as const satisfies EventName[];
const settlements = ['BALANCE_CHARGE', 'BALANCE_RELEASE'] as const satisfies EventName[];

/** True when nothing more is to come: the update has its outcome and what it caused, its task was delivered. */
export function isOver(chain: readonly EventLine[], { task, also = [] }: Expectation): boolean {
  const has = (...names: EventName[]): boolean => chain.some(line => names.some(name => name === line.name));
  return (
    has(...outcomes, 'DEAD_LETTER') &&
    (!task || has('RESULT_DELIVERED', 'DELIVERY_FAILED')) &&
    also.every(name => has(name))
  );
}

/** What is wrong with the chain, a sentence each; empty when it is complete and as expected. */
export function incompleteness(chain: readonly EventLine[], expected: Expectation): string[] {
  const problems: string[] = [];
  const find = (...names: EventName[]): readonly EventLine[] =>
    chain.filter(line => names.some(name => name === line.name));

  function once(...names: EventName[]): EventLine | undefined {
    const found = find(...names);
    if (found.length !== 1) problems.push(`${names.join(' or ')} is there ${found.length} times, not once`);
    return found[0];
  }

  function field(line: EventLine | undefined, name: string, wanted: unknown): void {
    if (line && line[name] !== wanted)
      problems.push(`${line.name} has ${name}=${String(line[name])}, not ${String(wanted)}`);
  }

  for (const name of ['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', 'DISPATCH_START'] as const)
    once(name);
  if (chain[0]?.name !== 'UPDATE_RECEIVED') problems.push('the chain does not begin with UPDATE_RECEIVED');
  field(once(...outcomes), 'reason_code', expected.reason);
  if (find('SILENCE_GUARD_WARNING').length > 0) problems.push('the silence guard had to step in');

  if (expected.kind === 'tap') {
    once('CALLBACK_RECEIVED');
    field(once('CALLBACK_ACCEPTED', 'CALLBACK_REJECTED'), 'reason_code', expected.reason);
    field(once('ANSWER_CALLBACK_QUERY'), 'result', 'accepted');
  } else {
    once(expected.kind === 'command' ? 'COMMAND_RECEIVED' : 'MESSAGE_RECEIVED');
  }
  if (expected.reason === 'VALIDATION_FAILED')
    field(once('PARAM_VALIDATION_FAILED'), 'reason_code', expected.reason);
  if (find('PARAM_INPUT').length !== find('PARAM_ACCEPTED', 'PARAM_VALIDATION_FAILED').length)
    problems.push('a value that the user gave was neither accepted nor refused');
  if (expected.task) {
    once('TASK_CREATED');
    const end = once(...taskEnds);
    if (end?.name === 'TASK_FAILED') field(end, 'reason_code', expected.task.reason);
    else if (end && expected.task.reason !== 'SUCCESS') problems.push('TASK_FAILED is missing');
    field(once('RESULT_DELIVERED'), 'operation', expected.task.delivers);
    const hold = once('BALANCE_HOLD');
    const settlement = once(...settlements);
    const due = end?.name === 'TASK_FAILED' ? 'BALANCE_RELEASE' : 'BALANCE_CHARGE';
    if (settlement && settlement.name !== due) problems.push(`${settlement.name} is there instead of ${due}`);
    if (hold) field(settlement, 'amount', hold.amount);
  }
  for (const name of expected.also ?? []) once(name);
  return problems;
}
