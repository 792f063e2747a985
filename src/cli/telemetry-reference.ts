// `trt telemetry-reference`: the reference of all that telemetry says, written from the tables that the code itself
// works by, so that it cannot say anything else. A test compares it with docs/telemetry.md.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { locales } from '../locales.ts';
import { detailCodes } from '../otel/detail-codes.ts';
import { type EventName, events } from '../otel/events.ts';
import { type FieldName, fieldDefinitions, lineFields } from '../otel/fields.ts';
import { metricDefinitions } from '../otel/metrics.ts';
import { reasons } from '../otel/reasons.ts';
import { failureAttributes, spans } from '../otel/spans.ts';
import { type Command, UsageError } from './command.ts';

export const telemetryReferenceCommand: Command = {
  usage: ['trt telemetry-reference [file]   every event, field, reason and span, as Markdown'],
  async run(words, terminal) {
    const { positionals } = parseArgs({ args: [...words], allowPositionals: true });
    const [file, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError('One file at most');
    if (file === undefined) terminal.print(telemetryReference().trimEnd());
    else await writeFile(file, telemetryReference());
    return true;
  },
};

/** Markdown, with a newline at its end. */
export function telemetryReference(): string {
  return `${[introduction, searches, eventTables(), detail, fieldTables(), reasonTable(), detailTable(), spanTable(), silence, metricTable()].join('\n\n')}\n`;
}

const introduction = `# Telemetry

Written by \`npm run docs:telemetry\` from \`src/otel/{events,fields,reasons,detail-codes,spans,metrics}.ts\`. Do not edit; a test compares it with the code.

Every update is one trace; its **cid** is the first 8 hex digits of the trace id. Every step is an **event**: a line on stdout (JSON, or key=value with \`LOG_FORMAT=kv\`), an event of the span in which it happened, and an entry in the journal, all with the same names. Every refusal has a **reason**.

What must be there is checked: an event without its required fields does not compile, and with \`NODE_ENV\` other than production one whose fields are missing, empty, unknown or of the wrong kind throws.`;

const searches = `## What to search for

| text | finds |
|---|---|
| \`cid=a1b2c3d4\` | all of one update: the tap, its task, the money, the delivery. Several traces may share a cid: look at the time and at \`trace_id\`. |
| \`reason_code=STATE_MISMATCH\` | all that ended for one reason |
| \`domain=BILLING\` | all of one part of the product: UX, BILLING, MODEL, STORAGE, LOCK, WEBHOOK, QUEUE, SYSTEM |
| \`CALLBACK_REJECTED cid=\` | one event, whichever cid |
| \`SILENCE_GUARD_WARNING\` | users who would have been left in silence |

The texts stand literally in \`msg\` of every line, in both formats. A user's error message ends with the cid.`;

const detail = `## Levels

\`LOG_LEVEL\` is INFO in production. Events of level DEBUG are emitted only where that level is on: then they are lines, span events and entries of the journal like all others. An administrator can switch all instances to DEBUG for a time; it holds after a restart, and they return by themselves (DEBUG_ENABLED, DEBUG_DISABLED).`;

const silence = `## The silence guard

\`SILENCE_GUARD=false\` switches it off. Each of its warnings is a defect to look into.

| what happened | what it does |
|---|---|
| A tap was picked, and 5 s after its receipt nobody has begun to answer it. | Answers it, with the cid. The handler goes on; what its own answer would have said is sent as a message. |
| An update ended without a conclusion. | It ends in INTERNAL_ERROR, and the user is sent the cid. |
| A message was concluded with neither a screen nor a word. | The user is answered that there was nothing to do, with the cid; the outcome stays. |
| An error that nobody waits for. | It is emitted in the trace of the update that caused it. The process ends, as it would without the guard, and the update is picked again. |

An error that a handler catches and keeps to itself cannot be seen. Failures of work in the background are SYSTEM_WARNING events under the cid of their update.`;

function metricTable(): string {
  const rows = Object.entries(metricDefinitions).map(([name, { kind, unit, doc }]) => [
    code(name),
    kind,
    code(unit),
    doc,
  ]);
  return `## Metrics

Exported where there is an OTLP endpoint, as \`OTEL_METRICS_EXPORTER\` and \`OTEL_METRIC_EXPORT_INTERVAL\` say (every minute if they say nothing); \`OTEL_METRICS_EXPORTER=prometheus\` opens a port for Prometheus instead, without a Collector. They are read for each export and cost an update nothing. Rates by \`screen_id\`, \`model_id\` and release are in \`trt reasons\`. How long things take, by span name and \`reason_code\`, the Collector derives from the spans as \`traces.span.metrics.*\`, with trace ids as exemplars.

${table(['metric', 'kind', 'unit', 'what it says'], rows)}`;
}

function eventTables(): string {
  const names = Object.keys(events) as EventName[];
  const domains = [...new Set(names.map(name => events[name].domain))];
  const sections = domains.map(domain => {
    const rows = names.filter(name => events[name].domain === domain).map(eventRow);
    return `### ${domain}\n\n${table(['event', 'level', 'required', 'optional', 'what it says'], rows)}`;
  });
  return `## Events\n\nRequired and optional are the fields of the event itself; those of what surrounds it come on top.\n\n${sections.join('\n\n')}`;
}

function eventRow(name: EventName): string[] {
  const { level, required, optional, doc, reserved }: EventDefinition = events[name];
  const said = reserved === undefined ? doc : `${doc} Not emitted yet: ${reserved}.`;
  return [code(name), level, codes(required), codes(optional), said];
}

/** Of the table's own narrow types the common one. */
type EventDefinition = {
  readonly level: string;
  readonly required: readonly FieldName[];
  readonly optional: readonly FieldName[];
  readonly details?: readonly string[];
  readonly doc: string;
  readonly reserved?: string;
};

function fieldTables(): string {
  const own = (Object.keys(fieldDefinitions) as FieldName[]).map(name => {
    const { type, meaning, values }: FieldDefinition = fieldDefinitions[name];
    const listed =
      values && name !== 'reason_code' && name !== 'detail_code'
        ? ` One of ${codes(values.map(String))}.`
        : '';
    return [code(name), type, meaning + listed];
  });
  const ofLines = Object.entries(lineFields).map(([name, meaning]) => [code(name), meaning]);
  return [
    '## Fields',
    'Of every line:',
    table(['field', 'meaning'], ofLines),
    'Of events, and of what surrounds them: an update, a task, a job hands its fields to every event inside it.',
    table(['field', 'type', 'meaning'], own),
  ].join('\n\n');
}

type FieldDefinition = {
  readonly type: string;
  readonly meaning: string;
  readonly values?: readonly (string | number)[] | undefined;
};

function reasonTable(): string {
  const rows = Object.entries(reasons).map(([name, { meaning, fault, text, operator }]) => [
    code(name),
    fault ? 'fault' : 'normal',
    meaning,
    ...locales.map(locale => text[locale]),
    operator,
  ]);
  return `## Reasons\n\nA fault is ours or a supplier's, and its text ends with the cid; all else is the product working as designed. Where a reason has a more precise text for the user, that one is shown.\n\n${table(['reason', 'kind', 'meaning', ...locales.map(locale => `user, ${locale}`), 'operator'], rows)}`;
}

function detailTable(): string {
  const names = Object.keys(events) as EventName[];
  const rows = Object.entries(detailCodes).map(([name, meaning]) => {
    const ofEvents = names.filter(event => {
      const { details = [] }: EventDefinition = events[event];
      return details.some(listed => listed === name);
    });
    return [code(name), meaning, codes(ofEvents)];
  });
  return `## Detail codes\n\nWhich particular case of a reason it was. \`trt trace\` and \`/debug\` find the cause by them; \`reason_detail\` says the same in words and may be reworded.\n\n${table(['detail_code', 'meaning', 'events'], rows)}`;
}

function spanTable(): string {
  const rows = Object.entries(spans).map(([name, { kind, attributes, doc }]) => [
    code(name),
    kind,
    codes(attributes),
    doc,
  ]);
  return `## Spans\n\n\`cid\` is on every span; a failed one has status ERROR and ${codes(failureAttributes)}.\n\n${table(['span', 'kind', 'attributes', 'what it is'], rows)}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const code = (text: string): string => `\`${text}\``;
const codes = (texts: readonly string[]): string => texts.map(code).join(' ');
