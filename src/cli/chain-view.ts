// How a chain is shown on a terminal: its verdict, its events, its spans. Whoever has chains, from a log or from the
// journal, prints them with this.
import { styleText } from 'node:util';
import { beginOf, type Chain, type ChainEvent, isSampled, textOf } from '../diagnosis/chain.ts';
import { processEventsAround, type Surroundings } from '../diagnosis/surroundings.ts';
import { type Verdict, verdictOf } from '../diagnosis/verdict.ts';
import { waterfallOf } from '../diagnosis/waterfall.ts';
import type { Locale } from '../locales.ts';
import type { Terminal } from './command.ts';
import { formatTable } from './table.ts';

export interface ViewOptions {
  readonly terminal: Pick<Terminal, 'print' | 'hasColours'>;
  readonly locale: Locale;
  readonly surroundings?: Surroundings | undefined;
}

/** One chain in full. */
export function printChain(chain: Chain, options: ViewOptions): void {
  const { terminal, locale, surroundings = {} } = options;
  const verdict = verdictOf(chain, locale, surroundings);
  const nearby = processEventsAround(surroundings, chain);
  terminal.print(
    [
      coloured(`cid ${chain.cid}`, 'bold', options) +
        `  trace ${chain.traceId}  ${beginOf(chain).toISOString()}`,
      '',
      coloured(verdict.sentence, tintOf(verdict), options),
      `${verdict.cause}, confidence ${verdict.confidence}`,
      ...verdict.missing.map(gap => `missing: ${gap}`),
      ...(isSampled(chain) === false ? ['This trace was not sampled: Jaeger does not have it.'] : []),
      '',
      eventTable(chain.events, options),
      ...(nearby.length > 0 ? ['', ...nearbyLines(nearby, beginOf(chain), options)] : []),
      ...(chain.spans.length > 0 ? ['', spanTable(chain)] : []),
    ].join('\n'),
  );
}

/** One chain as JSON, on one line. */
export function printChainAsJson(chain: Chain, { terminal, locale, surroundings = {} }: ViewOptions): void {
  const { cid, traceId, events, spans } = chain;
  const verdict = verdictOf(chain, locale, surroundings);
  terminal.print(
    JSON.stringify({
      cid,
      trace_id: traceId,
      sampled: isSampled(chain) ?? null,
      verdict,
      events: events.map(({ fields }) => fields),
      nearby: processEventsAround(surroundings, chain).map(({ fields }) => fields),
      spans,
    }),
  );
}

/** One line for each chain. */
export function printChains(chains: readonly Chain[], options: ViewOptions): void {
  const { terminal, locale, surroundings } = options;
  for (const chain of chains) {
    const verdict = verdictOf(chain, locale, surroundings);
    const head = coloured(chain.cid, 'bold', options);
    const tail = `[${verdict.cause}, ${verdict.confidence}]`;
    terminal.print(`${head} ${coloured(verdict.sentence, tintOf(verdict), options)} ${tail}`);
  }
}

/** The chains of one cid, so that they can be distinguished. */
export function printMatches(chains: readonly Chain[], { terminal }: ViewOptions): void {
  const rows = chains.map(chain => ({
    when: beginOf(chain).toISOString(),
    cid: chain.cid,
    events: chain.events.length,
    trace_id: chain.traceId,
  }));
  terminal.print(formatTable(['when', 'cid', 'events', 'trace_id'], rows));
}

/** Of these fields an event is worth reading; what every line of the chain repeats is left out. */
const toldFields = [
  'handler',
  'screen_id',
  'button_id',
  'next_screen',
  'operation',
  'result',
  'reason_code',
  'reason_detail',
  'error_type',
  'param_name',
  'value',
  'text',
  'amount',
  'attempt',
  'latency_ms',
  'duration_ms',
] as const;

function eventTable(events: readonly ChainEvent[], options: ViewOptions): string {
  const begin = events[0]?.at.getTime() ?? 0;
  const rows = events.map(event => ({
    'at ms': `+${event.at.getTime() - begin}`,
    level: event.level,
    event: event.name,
    facts: factsText(event),
  }));
  const [head = '', ...lines] = formatTable(['at ms', 'level', 'event', 'facts'], rows).split('\n');
  return [head, ...lines.map((line, index) => colouredByLevel(line, events[index], options))].join('\n');
}

/** Of an event of a process: also whose it is. */
const toldFieldsOfProcess = [
  'instance_id',
  'operation',
  'lock_epoch',
  'queue_depth',
  'reason_code',
  'reason_detail',
  'error_type',
  'error_message',
] as const;
const shownNearby = 20;

/** What repeats is one line with its first time; of many the last ones. */
function nearbyLines(nearby: readonly ChainEvent[], begin: Date, options: ViewOptions): string[] {
  const factsOf = (event: ChainEvent): string => factsText(event, toldFieldsOfProcess);
  const alike = [...Map.groupBy(nearby, event => `${event.name} ${factsOf(event)}`).values()];
  const shown = alike.slice(-shownNearby).flatMap(events => {
    const [event] = events;
    return event ? [{ event, count: events.length }] : [];
  });
  const rows = shown.map(({ event, count }) => ({
    '~ at ms': `~ ${signed(event.at.getTime() - begin.getTime())}`,
    level: event.level,
    event: count > 1 ? `${event.name} ×${count}` : event.name,
    facts: factsOf(event),
  }));
  const [head = '', ...lines] = formatTable(['~ at ms', 'level', 'event', 'facts'], rows).split('\n');
  return [
    `nearby: what processes reported around that time, outside of this chain${
      alike.length > shown.length ? ` (the last ${shown.length} of ${alike.length})` : ''
    }`,
    head,
    ...lines.map((line, index) => colouredByLevel(line, shown[index]?.event, options)),
  ];
}

function signed(milliseconds: number): string {
  return milliseconds < 0 ? String(milliseconds) : `+${milliseconds}`;
}

function factsText(event: ChainEvent, fields: readonly string[] = toldFields): string {
  return fields
    .flatMap(field => {
      const value = event.fields[field];
      return value === undefined || value === '' ? [] : `${field}=${String(value).replace(/\s+/g, ' ')}`;
    })
    .join(' ');
}

function spanTable(chain: Chain): string {
  const rows = waterfallOf(chain).map(row => ({
    span: row.name,
    'from ms': Math.round(row.startMs),
    ms: row.durationMs.toFixed(1),
    '': row.failed ? '✗' : '',
    bar: row.bar,
  }));
  return formatTable(['span', 'from ms', 'ms', '', 'bar'], rows);
}

type Style = 'bold' | 'red' | 'yellow' | 'green';

/** Green only where nothing was wrong for sure. */
function tintOf({ cause, confidence }: Verdict): Style {
  if (confidence !== 'high') return 'yellow';
  return ['done', 'delivered', 'delivered_free', 'nothing_to_do'].includes(cause) ? 'green' : 'red';
}

function colouredByLevel(line: string, event: ChainEvent | undefined, options: ViewOptions): string {
  if (event?.level === 'ERROR' || event?.level === 'CRITICAL') return coloured(line, 'red', options);
  const isOdd = event?.level === 'WARNING' || textOf(event, 'result') === 'failed';
  return isOdd ? coloured(line, 'yellow', options) : line;
}

/** As it is where nobody sees colours. */
export function coloured(text: string, style: Style, { terminal }: Pick<ViewOptions, 'terminal'>): string {
  return terminal.hasColours ? styleText(style, text, { validateStream: false }) : text;
}
