// An event as one JSON text, in three parts: level and time; the head, which the lines of a scope have in common; then
// the name, the event's own fields and `msg`. The head becomes text once per scope and not once per line, which is most
// of what a line costs, and the journal keeps it once (short-lines.ts).
import { type EventName, events } from './events.ts';
import type { EventFields, Level } from './fields.ts';

export type OwnFields = Readonly<Partial<EventFields>>;

/** Fields in both forms; `text` begins with a comma where there are any. */
export interface LineHead {
  readonly values: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface Line {
  /** `{"level":…,"ts":…` */
  readonly start: string;
  readonly head: LineHead;
  /** `,"name":…,"domain":…`, the event's own fields, `,"msg":…}` */
  readonly rest: string;
  /** The literals that are searched for. */
  readonly message: string;
}

export interface LineContent {
  readonly name: EventName;
  readonly own: OwnFields;
  readonly cid: string;
  /** The event's own, or the one around it. */
  readonly reasonCode: string | undefined;
  /** What surrounds the event. */
  readonly head: LineHead;
  /** Makes a head that also has these values; asked only where the event knows better than what surrounds it. */
  changedHead(changed: Readonly<Record<string, unknown>>): LineHead;
}

export function createLineHead(values: Readonly<Record<string, unknown>>): LineHead {
  const text = JSON.stringify(values).slice(1, -1);
  return { values, text: text === '' ? '' : `,${text}` };
}

/** `head` with `added`; undefined where one of them is there already, because a name must not stand twice. */
export function extendLineHead(
  { values, text }: LineHead,
  added: Readonly<Record<string, unknown>>,
): LineHead | undefined {
  for (const name in added) if (values[name] !== undefined) return undefined;
  return { values: { ...values, ...added }, text: text + createLineHead(added).text };
}

/** No name stands in a line twice: what the head has with the same value is not repeated, with another it is replaced. */
export function formatLine({ name, own, cid, reasonCode, head, changedHead }: LineContent): Line {
  const { level, domain } = events[name];
  // SAFETY: the same fields, to be looked up by any name.
  const values = own as Readonly<Record<string, string | number | undefined>>;
  let rest = `,"name":"${name}","domain":"${domain}"`;
  let changed: Record<string, unknown> | undefined;
  for (const key in values) {
    const value = values[key];
    if (value === undefined) continue;
    const around = head.values[key];
    if (around === undefined) rest += `,"${key}":${JSON.stringify(value)}`;
    else if (around !== value) changed = { ...changed, [key]: value };
  }
  const reason = reasonCode === undefined ? '' : ` reason_code=${reasonCode}`;
  const message = `${name} cid=${cid} domain=${domain}${reason}`;
  return {
    start: startOf(level),
    head: changed ? changedHead(changed) : head,
    rest: `${rest},"msg":"${message}"}`,
    message,
  };
}

/** The whole line, without a newline. */
export function lineText({ start, head, rest }: Line): string {
  return start + head.text + rest;
}

let timeOf = 0;
let time = '';

/** The lines of one millisecond share the text of their time. */
function startOf(level: Level): string {
  const now = Date.now();
  if (now !== timeOf) {
    timeOf = now;
    time = `,"ts":"${new Date(now).toISOString()}"`;
  }
  return `{"level":"${level}"${time}`;
}
