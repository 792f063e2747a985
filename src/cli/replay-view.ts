// How a replay is shown: the verdicts, both chains side by side with what differs marked, what was restored and what was
// not, and in the end one sentence. Of an event only what cannot hold a text of a user or an id of one is shown.
import type { Replayed } from '../../sandbox/replay/replay.ts';
import type { Chain, ChainEvent } from '../diagnosis/chain.ts';
import { beginOf, isUpdateEnd, textOf } from '../diagnosis/chain.ts';
import { comparedFields, differenceOf, isDifferent, type Pair } from '../diagnosis/difference.ts';
import { verdictOf } from '../diagnosis/verdict.ts';
import { coloured, type ViewOptions } from './chain-view.ts';
import { formatTable } from './table.ts';

export function printReplay(original: Chain, { chain, notes }: Replayed, options: ViewOptions): void {
  const { terminal, locale } = options;
  const { pairs, first } = differenceOf(original, chain);
  const verdicts = [verdictOf(original, locale), verdictOf(chain, locale)] as const;
  terminal.print(
    [
      coloured(`cid ${original.cid}`, 'bold', options) +
        `  trace ${original.traceId}  ${beginOf(original).toISOString()}`,
      '',
      ...verdicts.flatMap(({ sentence, cause, confidence, missing }, index) => [
        `${index === 0 ? 'original' : 'replay'}: ${sentence}`,
        `  ${cause}, confidence ${confidence}`,
        ...missing.map(gap => `  missing: ${gap}`),
      ]),
      '',
      pairTable(pairs, options),
      '',
      'Restored:',
      ...notes.restored.map(note => `  ${note}`),
      'Not as it was then:',
      ...notes.different.map(note => `  ${note}`),
      '',
      coloured(sentenceOf(pairs, first), first ? 'yellow' : 'green', options),
    ].join('\n'),
  );
}

/** On one line. */
export function printReplayAsJson(
  original: Chain,
  { chain, notes }: Replayed,
  { terminal, locale }: ViewOptions,
): void {
  const { pairs, first } = differenceOf(original, chain);
  terminal.print(
    JSON.stringify({
      cid: original.cid,
      trace_id: original.traceId,
      same: first === undefined,
      sentence: sentenceOf(pairs, first),
      verdict: { original: verdictOf(original, locale), replay: verdictOf(chain, locale) },
      events: pairs.map(pair => ({
        original: pair.original ? factsOf(pair.original) : null,
        replay: pair.replay ? factsOf(pair.replay) : null,
        same: !isDifferent(pair),
        differing: pair.fields,
      })),
      restored: notes.restored,
      different: notes.different,
    }),
  );
}

function pairTable(pairs: readonly Pair[], options: ViewOptions): string {
  const rows = pairs.map(pair => ({
    '': isDifferent(pair) ? '≠' : '',
    original: cellOf(pair.original, pair.fields),
    replay: cellOf(pair.replay, pair.fields),
  }));
  const [head = '', ...lines] = formatTable(['', 'original', 'replay'], rows).split('\n');
  return [
    head,
    ...lines.map((line, index) => (rows[index]?.[''] === '' ? line : coloured(line, 'yellow', options))),
  ].join('\n');
}

/** An event by its name, its reason, and what is not the same in the other chain. */
function cellOf(event: ChainEvent | undefined, differing: readonly string[]): string {
  if (!event) return '—';
  const facts = new Set(['reason_code', 'next_screen', ...differing]);
  return [
    event.name,
    ...comparedFields.filter(field => facts.has(field)).map(field => factText(event, field)),
  ]
    .filter(text => text !== '')
    .join(' ');
}

function factText(event: ChainEvent, field: string): string {
  const value = event.fields[field];
  return value === undefined ? '' : `${field}=${String(value)}`;
}

function factsOf(event: ChainEvent): Record<string, unknown> {
  return {
    name: event.name,
    ...Object.fromEntries(
      comparedFields.flatMap(field =>
        event.fields[field] === undefined ? [] : [[field, event.fields[field]] as const],
      ),
    ),
  };
}

/** The same, or what differs first. */
function sentenceOf(pairs: readonly Pair[], first: Pair | undefined): string {
  const end = pairs.findLast(({ original, replay }) =>
    [original, replay].some(event => event && isUpdateEnd(event)),
  );
  const ending = textOf(end?.original, 'reason_code') ?? 'no outcome';
  if (!first) return `The same: the replay ended as the update did then, with ${ending}.`;
  const outcome = end && !isDifferent(end) ? ` The update itself ended the same, with ${ending}.` : '';
  return `Different, first at ${(first.original ?? first.replay)?.name}: ${howDifferent(first)}.${outcome}`;
}

function howDifferent({ original, replay, fields }: Pair): string {
  if (!replay) return 'it is missing in the replay';
  if (!original) return 'it was not there then';
  return fields
    .map(
      field =>
        `${field} was ${valueText(original, field)} then and is ${valueText(replay, field)} in the replay`,
    )
    .join(', ');
}

function valueText(event: ChainEvent, field: string): string {
  return String(event.fields[field] ?? 'absent');
}
