// How two chains of one and the same update differ: the one of then and the one of its replay. Events are laid side by
// side by name and compared by what a cause is recognized by. What depends on the moment alone is left out: how often a
// generation was looked at, how long anything took, ids, and detail that is emitted only where it is switched on.
import { withCodes } from '../otel/lines-before-codes.ts';
import { type Chain, type ChainEvent, textOf } from './chain.ts';

export interface Pair {
  /** Undefined where only the other chain has the event. */
  readonly original: ChainEvent | undefined;
  readonly replay: ChainEvent | undefined;
  /** Fields whose values are not the same; empty where one is missing. */
  readonly fields: readonly string[];
}

export interface Difference {
  readonly pairs: readonly Pair[];
  /** Undefined when both are the same. */
  readonly first: Pair | undefined;
}

/** Of our own making, all of them: none can hold what a user wrote, nor an id of one. */
export const comparedFields = [
  'result',
  'reason_code',
  'handler',
  'button_id',
  'screen_id',
  'next_screen',
  'operation',
  'param_name',
  'source',
  'error_type',
  'model_id',
  'amount',
  'position',
] as const;

/** How often they come is a matter of time. */
const ofTheMoment: ReadonlySet<string> = new Set(['TASK_PROGRESS', 'KIE_CALLBACK', 'UPDATE_DUPLICATE']);
const intake: ReadonlySet<string> = new Set(['UPDATE_RECEIVED', 'QUEUE_ENQUEUE']);

export function differenceOf(original: Chain, replay: Chain): Difference {
  const pairs = aligned(comparable(original), comparable(replay));
  return { pairs, first: pairs.find(isDifferent) };
}

export function isDifferent({ original, replay, fields }: Pair): boolean {
  return !original || !replay || fields.length > 0;
}

/** In the order of the work: a worker may pick an update before all events of its receipt are emitted. */
function comparable({ events }: Chain): ChainEvent[] {
  const compared = events
    .filter(({ name, level }) => level !== 'DEBUG' && !ofTheMoment.has(name))
    // The chain of then may be of a release that said in words what is a field now.
    .map(event => ({ ...event, fields: withCodes(event.name, event.fields) }));
  // Of an update that was worked several times the last one counts.
  const picked = compared.findLast(({ name }) => name === 'QUEUE_PICK');
  const from = picked ? compared.indexOf(picked) : 0;
  return compared
    .filter((event, index) => stageOf(event) !== dispatch || index >= from)
    .toSorted((a, b) => stageOf(a) - stageOf(b));
}

const receipt = 0;
const dispatch = 1;
const generation = 2;

function stageOf(event: ChainEvent): number {
  if (intake.has(event.name)) return receipt;
  const type = textOf(event, 'event_type');
  return type === 'job' || type === 'kie_callback' ? generation : dispatch;
}

/** By the longest common subsequence of names, so that one event more or less does not shift all that follows. */
function aligned(original: readonly ChainEvent[], replay: readonly ChainEvent[]): Pair[] {
  const lengths = commonLengths(original, replay);
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < original.length || j < replay.length) {
    const [left, right] = [original[i], replay[j]];
    if (left && right && left.name === right.name) {
      pairs.push({ original: left, replay: right, fields: differingFields(left, right) });
      i += 1;
      j += 1;
    } else if (left && (!right || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
      pairs.push({ original: left, replay: undefined, fields: [] });
      i += 1;
    } else {
      pairs.push({ original: undefined, replay: right, fields: [] });
      j += 1;
    }
  }
  return pairs;
}

/** For each pair of places, how many names the rests have in common. */
function commonLengths(original: readonly ChainEvent[], replay: readonly ChainEvent[]): number[][] {
  const lengths = Array.from({ length: original.length + 1 }, () =>
    new Array<number>(replay.length + 1).fill(0),
  );
  for (let i = original.length - 1; i >= 0; i -= 1) {
    for (let j = replay.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (!row) continue;
      row[j] =
        original[i]?.name === replay[j]?.name
          ? at(lengths, i + 1, j + 1) + 1
          : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}

function differingFields(original: ChainEvent, replay: ChainEvent): string[] {
  return comparedFields.filter(field => original.fields[field] !== replay.fields[field]);
}
