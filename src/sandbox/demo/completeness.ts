// Owns the question whether a chain of events tells the whole story of an update: from its receipt to exactly one
// outcome, with an answer to a tap, with the reason that was expected, and with what was ordered delivered.
// Pure: looks at the events of one cid and says in words what is missing.
import type { EventName } from '../../otel/events.ts';
import type { ReasonCode } from '../../otel/reasons.ts';
import type { EventLine } from './chronicle.ts';

export interface Expectation {
  readonly kind: 'command' | 'text' | 'tap';
  /** The reason code the update must end with. */
  readonly reason: ReasonCode;
  /** The generation that the update starts: what the user gets in the end, and why. */
  readonly task?: { readonly delivers: 'result' | 'failure'; readonly reason: ReasonCode };
}

const outcomes = ['DISPATCH_OK', 'DISPATCH_FAIL'] as const satisfies EventName[];
const taskEnds = ['TASK_COMPLETED', 'TASK_FAILED'] as const satisfies EventName[];

/** True when nothing more is to come: the update has its outcome and its task, if any, was delivered. */
export function isOver(chain: readonly EventLine[], { task }: Expectation): boolean {
  const has = (...names: EventName[]): boolean => chain.some(line => names.some(name => name === line.name));
  return has(...outcomes, 'DEAD_LETTER') && (!task || has('RESULT_DELIVERED', 'DELIVERY_FAILED'));
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

  function field(line: EventLine | undefined, name: string, wanted: string): void {
    if (line && line[name] !== wanted)
      problems.push(`${line.name} has ${name}=${String(line[name])}, not ${wanted}`);
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
  if (expected.task) {
    once('TASK_CREATED');
    const end = once(...taskEnds);
    if (end?.name === 'TASK_FAILED') field(end, 'reason_code', expected.task.reason);
    else if (end && expected.task.reason !== 'SUCCESS') problems.push('TASK_FAILED is missing');
    field(once('RESULT_DELIVERED'), 'operation', expected.task.delivers);
  }
  return problems;
}
