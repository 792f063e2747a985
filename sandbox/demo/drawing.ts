// Draws one exchange for the terminal: on the left what the user did and saw, on the right the cid and its events.
// Two columns within 120 cells; on a narrow terminal one below the other.
import { beside, type Line, plain, type Span, span, widthOf, wrap } from '../stage/columns.ts';
import { type EventLine, offsetMs } from '../stage/event-log.ts';
import { detailOf, reasonOf } from './event-detail.ts';
import type { Exchange, Seen } from './player.ts';
import type { Act } from './script.ts';

const widest = 120;
/** Below this, two columns would break nearly every line. */
const narrowestForTwo = 100;
const narrowest = 50;
const labelWidth = 6;
const offsetWidth = 9;
const nameWidth = 25;
const separatorWidth = 3;

export interface Layout {
  /** In cells. */
  readonly width: number;
  /** Undefined for one below the other. */
  readonly left: number | undefined;
}

/** `columns` is the width of the terminal, or undefined where the output is none. */
export function layoutFor(columns: number | undefined): Layout {
  const width = Math.max(narrowest, Math.min(columns ?? widest, widest));
  return { width, left: width < narrowestForTwo ? undefined : Math.floor(width * 0.4) };
}

export function drawHeading({ width, left }: Layout): Line[] {
  if (left === undefined) return [rule(width)];
  const titles = beside(
    [[span('What the user does and sees', 'bold')]],
    [[span('What the bot logs about it, by cid', 'bold')]],
    left,
  );
  return [...titles, rule(width, left, '┼')];
}

export function drawExchange(exchange: Exchange, { width, left }: Layout): Line[] {
  if (left === undefined) {
    return [...drawConversation(exchange, width), [], ...drawChain(exchange, width), rule(width)];
  }
  const right = width - left - separatorWidth;
  const rows = beside(drawConversation(exchange, left), drawChain(exchange, right), left);
  return [...rows, rule(width, left, '┼')];
}

function rule(width: number, crossing?: number, cross = ''): Line {
  if (crossing === undefined) return [span('─'.repeat(width), 'dim')];
  const before = crossing + 1;
  return [span(`${'─'.repeat(before)}${cross}${'─'.repeat(width - before - 1)}`, 'dim')];
}

function drawConversation({ act, tapped, seen }: Exchange, width: number): Line[] {
  const room = width - labelWidth;
  return [
    ...labelled('USER', 'cyan', wrapSpans(drawAction(act, tapped), room)),
    ...(act.note ? labelled('', undefined, styled(wrap(`(${act.note})`, room), 'dim')) : []),
    ...seen.flatMap(view => drawSeen(view, room)),
  ];
}

function drawAction({ says, sends }: Act, tapped: string | undefined): Span[] {
  if (tapped !== undefined) return [span('taps ', 'cyan'), span(`[ ${plain(tapped)} ]`, ['bold', 'cyan'])];
  if (sends !== undefined) return [span('sends ', 'cyan'), span(drawMedia('a picture'), ['bold', 'cyan'])];
  return [span('says ', 'cyan'), span(`“${says ?? ''}”`, ['bold', 'cyan'])];
}

function drawMedia(what: string): string {
  return `▓▒░ ${what} ░▒▓`;
}

function drawSeen({ kind, text, buttons, media }: Seen, room: number): Line[] {
  if (kind === 'popup') return labelled('popup', 'yellow', styled(wrap(`“${text}”`, room), 'yellow'));
  const shown = media === undefined ? [] : styled(wrap(drawMedia(media), room), 'green');
  const label = kind === 'edit' ? 'BOT ✎' : 'BOT';
  const texts = styled(
    wrap(text, room).filter(line => line !== ''),
    undefined,
  );
  return labelled(label, 'green', [...shown, ...texts, ...buttons.flatMap(row => drawButtons(row, room))]);
}

/** A button is never broken over two lines: its spaces are unbreakable until the row is wrapped. */
function drawButtons(labels: readonly string[], room: number): Line[] {
  const row = labels.map(label => `[${label.replaceAll(' ', '\u{A0}')}]`).join(' ');
  return styled(
    wrap(row, room).map(line => line.replaceAll('\u{A0}', ' ')),
    'blue',
  );
}

function drawChain({ cid, chain, problems }: Exchange, width: number): Line[] {
  const heading: Line = [span(`cid=${cid ?? 'none'}`, ['bold', 'magenta'])];
  return [
    heading,
    ...chain.flatMap(line => drawEvent(chain, line, width)),
    ...problems.flatMap(problem => styled(wrap(`✘ ${problem}`, width), 'red')),
  ];
}

function drawEvent(chain: readonly EventLine[], line: EventLine, width: number): Line[] {
  const style = styleOf(line);
  const offset = `+${offsetMs(chain, line)} ms`.padStart(offsetWidth);
  const reason = reasonOf(line);
  const words: Span[] = [
    ...(reason === undefined ? [] : [span(reason, reason === 'SUCCESS' ? 'green' : (style ?? 'yellow'))]),
    ...wordsOf(detailOf(line)),
  ];
  const prefix = offsetWidth + 1 + nameWidth;
  return flow(words, width - prefix).map((detail, index) =>
    index === 0
      ? [span(`${offset} `, 'dim'), span(line.name.padEnd(nameWidth), style), ...detail]
      : [span(' '.repeat(prefix)), ...detail],
  );
}

function wordsOf(text: string): Span[] {
  return text === ''
    ? []
    : plain(text)
        .split(' ')
        .map(word => span(word, 'dim'));
}

/** Sets words one after the other, as many on a line as fit; at least one line. */
function flow(words: readonly Span[], width: number): Line[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const word of words) {
    const line = lines.at(-1) ?? [];
    const length = widthOf(word.text);
    if (line.length > 0 && used + 1 + length > width) {
      lines.push([word]);
      used = length;
    } else {
      line.push(...(line.length > 0 ? [span(' ')] : []), word);
      used += length + (used > 0 ? 1 : 0);
    }
  }
  return lines;
}

/** Wraps spans that are read as one text; each keeps its style. */
function wrapSpans(spans: readonly Span[], width: number): Line[] {
  return flow(
    spans.flatMap(({ text, style }) =>
      wrap(text, width).flatMap(line =>
        line
          .split(' ')
          .filter(word => word !== '')
          .map(word => span(word, style)),
      ),
    ),
    width,
  );
}

function styled(lines: readonly string[], style: Span['style']): Line[] {
  return lines.map(line => [span(line, style)]);
}

/** The label stands before the first line only. */
function labelled(label: string, style: Span['style'], lines: readonly Line[]): Line[] {
  return lines.map((line, index) => [span((index === 0 ? label : '').padEnd(labelWidth), style), ...line]);
}

function styleOf({ level }: EventLine): Span['style'] {
  if (level === 'WARNING') return 'yellow';
  return level === 'ERROR' || level === 'CRITICAL' ? 'red' : undefined;
}
