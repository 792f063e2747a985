// What a chain says, looked up once: the events by name, how the update ended, what became of its task and its money.
// Nothing is judged here; the causes are recognized from these facts.
import type { DetailCodeOf, EventName, OperationOf } from '../otel/events.ts';
import type { EventType, Result } from '../otel/fields.ts';
import { withCodes } from '../otel/lines-before-codes.ts';
import { type ReasonCode, reasons } from '../otel/reasons.ts';
import { type Chain, type ChainEvent, numberOf, textOf } from './chain.ts';
import type { Surroundings } from './surroundings.ts';

export interface Facts {
  readonly chain: Chain;
  readonly surroundings: Surroundings;
  /** All events of that name, in their order. */
  all(name: EventName): readonly ChainEvent[];
  /** The last event of that name: of an update that was worked twice, the one that counts. */
  last(name: EventName): ChainEvent | undefined;
  has(...names: readonly EventName[]): boolean;
  readonly eventType: EventType | undefined;
  /** DISPATCH_OK, DISPATCH_FAIL or DEAD_LETTER. */
  readonly end: ChainEvent | undefined;
  readonly result: Result | undefined;
  /** Of the end; of the refusal while the end is not known. */
  readonly reason: ReasonCode | undefined;
  /** The particular case of it. */
  readonly code: DetailCodeOf<'DISPATCH_OK'> | undefined;
  /** The same in words, to be shown and not to be read by the program. */
  readonly detail: string;
  readonly task: TaskFacts | undefined;
}

export interface TaskFacts {
  readonly id: string;
  readonly modelId: string | undefined;
  readonly failure: ChainEvent | undefined;
  /** The supplier has made it, in time or late. */
  readonly isMade: boolean;
  readonly isLate: boolean;
  /** The last step. */
  readonly progress: ChainEvent | undefined;
  /** Files that the user has. */
  readonly delivered: readonly ChainEvent[];
  /** Files that were given up. */
  readonly lost: readonly ChainEvent[];
  /** A file that could not be sent yet, and will be tried again. */
  readonly postponed: ChainEvent | undefined;
  readonly money: Money;
}

export interface Money {
  /** Kopecks; undefined when no event has a price. */
  readonly amount: number | undefined;
  readonly state: 'held' | 'charged' | 'released' | 'refunded' | undefined;
}

export function factsOf(stored: Chain, surroundings: Surroundings = {}): Facts {
  const chain = { ...stored, events: stored.events.map(coded) };
  const byName = Map.groupBy(chain.events, ({ name }) => name);
  const all = (name: EventName): readonly ChainEvent[] => byName.get(name) ?? [];
  const last = (name: EventName): ChainEvent | undefined => all(name).at(-1);
  const end = newest(last('DISPATCH_OK'), last('DISPATCH_FAIL'), last('DEAD_LETTER'));
  const refusal = last('CALLBACK_REJECTED') ?? last('COMMAND_REJECTED') ?? last('PARAM_VALIDATION_FAILED');
  return {
    chain,
    surroundings,
    all,
    last,
    has: (...names) => names.some(name => byName.has(name)),
    eventType: eventTypeOf(chain),
    end,
    // SAFETY: the program writes nothing else into this field.
    result: textOf(end, 'result') as Result | undefined,
    reason: reasonOf(end) ?? reasonOf(refusal),
    // SAFETY: the program writes nothing else into this field of these events.
    code: (textOf(end, 'detail_code') ?? textOf(refusal, 'detail_code')) as Facts['code'],
    detail: textOf(end, 'reason_detail') ?? textOf(refusal, 'reason_detail') ?? '',
    task: taskOf(chain, all),
  };
}

function coded(event: ChainEvent): ChainEvent {
  const fields = withCodes(event.name, event.fields);
  return fields === event.fields ? event : { ...event, fields };
}

/** Whether it is that event, in one of these cases. A case that the event cannot carry does not compile. */
export function isCase<N extends EventName>(
  event: ChainEvent | undefined,
  name: N,
  ...codes: readonly DetailCodeOf<N>[]
): boolean {
  return event?.name === name && codes.some(code => code === event.fields.detail_code);
}

/** Whether it is that event, about one of these. A name that the event cannot carry does not compile. */
export function isAbout<N extends EventName>(
  event: ChainEvent | undefined,
  name: N,
  ...operations: readonly OperationOf<N>[]
): boolean {
  return event?.name === name && operations.some(operation => operation === event.fields.operation);
}

export function reasonOf(event: ChainEvent | undefined): ReasonCode | undefined {
  const code = textOf(event, 'reason_code');
  // SAFETY: checked to be a key of the table.
  return code !== undefined && Object.hasOwn(reasons, code) ? (code as ReasonCode) : undefined;
}

/** Of the update: the steps of its task are jobs in the same trace. */
function eventTypeOf({ events }: Chain): EventType | undefined {
  const types = events.flatMap(event => textOf(event, 'event_type') ?? []);
  const type = types.find(name => name !== 'job' && name !== 'kie_callback') ?? types[0];
  // SAFETY: the program writes nothing else into this field.
  return type as EventType | undefined;
}

function newest(...events: readonly (ChainEvent | undefined)[]): ChainEvent | undefined {
  return events
    .flatMap(event => event ?? [])
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .at(-1);
}

function taskOf(chain: Chain, all: Facts['all']): TaskFacts | undefined {
  const named = chain.events.find(event => textOf(event, 'task_id') !== undefined);
  const id = textOf(named, 'task_id');
  if (named === undefined || id === undefined) return undefined;
  const failures = all('DELIVERY_FAILED').filter(isFile);
  const delivered = all('RESULT_DELIVERED').filter(isFile);
  const lost = failures.filter(event => !isTriedAgain(event));
  return {
    id,
    modelId: chain.events.map(event => textOf(event, 'model_id')).find(model => model !== undefined),
    failure: all('TASK_FAILED').at(-1),
    isMade: all('TASK_COMPLETED').length > 0 || all('TASK_LATE_RESULT').length > 0,
    isLate: all('TASK_LATE_RESULT').length > 0,
    progress: all('TASK_PROGRESS').at(-1),
    delivered,
    lost,
    postponed: failures.findLast(
      event => isTriedAgain(event) && ![...delivered, ...lost].some(other => samePlace(event, other)),
    ),
    money: moneyOf(all),
  };
}

/** Files are what a user has ordered; the rest are notices. */
function isFile(event: ChainEvent): boolean {
  return (
    isAbout(event, 'RESULT_DELIVERED', 'result', 'original') ||
    isAbout(event, 'DELIVERY_FAILED', 'result', 'original')
  );
}

function isTriedAgain(event: ChainEvent): boolean {
  return textOf(event, 'next_attempt') !== 'none';
}

function samePlace(one: ChainEvent, other: ChainEvent): boolean {
  return (
    textOf(one, 'operation') === textOf(other, 'operation') &&
    numberOf(one, 'position') === numberOf(other, 'position')
  );
}

const moneyEvents = [
  ['BALANCE_REFUND', 'refunded'],
  ['BALANCE_RELEASE', 'released'],
  ['BALANCE_CHARGE', 'charged'],
  ['BALANCE_HOLD', 'held'],
] as const;

function moneyOf(all: Facts['all']): Money {
  for (const [name, state] of moneyEvents) {
    const event = all(name).at(-1);
    if (event) return { state, amount: numberOf(event, 'amount') };
  }
  return { state: undefined, amount: undefined };
}
