// Writes the end of the demo: how many updates have a complete chain, how a click is found by its cid, and where
// the traces are.
import { type Line, span } from '../stage/columns.ts';
import type { Exchange } from './player.ts';
import type { TraceExport } from './traces.ts';

export interface Summary {
  readonly exchanges: readonly Exchange[];
  readonly expectedCount: number;
  readonly tookMs: number;
  readonly traces: TraceExport;
  /** `going`: the bot still runs and exports as it goes. */
  readonly exported: 'going' | 'done' | 'failed';
}

/** Where docker-compose.yml publishes it. */
const jaegerUrl = 'http://127.0.0.1:16686';

export function isComplete({ exchanges, expectedCount }: Summary): boolean {
  return exchanges.length === expectedCount && exchanges.every(({ problems }) => problems.length === 0);
}

export function drawSummary(summary: Summary): Line[] {
  const { exchanges, expectedCount, tookMs } = summary;
  const complete = exchanges.filter(({ problems }) => problems.length === 0);
  const verdict = isComplete(summary)
    ? span(`✔ ${exchanges.length} updates, ${complete.length} chains complete`, ['bold', 'green'])
    : span(`✘ ${expectedCount} updates expected, ${complete.length} chains complete`, ['bold', 'red']);
  return [
    [],
    [
      verdict,
      span(` – each update is one trace, its cid is on every line (${(tookMs / 1_000).toFixed(1)} s)`),
    ],
    [],
    ...drawSearch(
      exchanges.findLast(({ act }) => act.expected.task?.delivers === 'failure') ?? exchanges.at(-1),
    ),
    ...drawTraces(summary),
    ...(summary.exported === 'going' ? [] : [[], fact('Try it yourself', 'npm run demo', 'cyan')]),
  ];
}

function drawSearch(exchange: Exchange | undefined): Line[] {
  const cid = exchange?.cid ?? '…';
  return [
    fact('Find a click', `search the log for cid=${cid}: the code that the user was shown with the failure`),
    fact('', 'npm run demo -- --once --verbose | grep reason_code=STATE_MISMATCH', 'cyan'),
    [],
  ];
}

function drawTraces({ traces, exported, exchanges }: Summary): Line[] {
  const { endpoint, serviceName } = traces;
  const cid = exchanges.at(-1)?.cid ?? '…';
  if (endpoint === undefined) {
    return [
      fact('See the traces', 'no collector was set; with Docker:'),
      fact('', 'docker compose up -d otel-collector jaeger', 'cyan'),
      fact('', 'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npm run demo', 'cyan'),
      fact('', `then open ${jaegerUrl}, service ${serviceName}, tag cid=…`),
    ];
  }
  if (exported === 'failed')
    return [fact('Traces', `the collector at ${endpoint} did not take them: is it running?`, 'yellow')];
  const verb = exported === 'done' ? 'were exported' : 'are being exported';
  return [
    fact('Traces', `${verb} to ${endpoint}`),
    fact(
      '',
      `in Jaeger (docker compose has it at ${jaegerUrl}): service ${serviceName}, tag cid=${cid}`,
      'cyan',
    ),
  ];
}

function fact(name: string, text: string, style?: 'cyan' | 'yellow'): Line {
  return [span(name.padEnd(16), 'bold'), span(text, style)];
}
