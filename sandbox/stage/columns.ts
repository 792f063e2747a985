// Owns the layout of text on a terminal: lines made of styled spans, their width in cells, wrapping, and two
// columns side by side. Styles are applied last, by `paint`, so that nothing before has to look past escape codes.
// Knows nothing of what is printed. Colours follow NO_COLOR, FORCE_COLOR and the terminal (node:util styleText).
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

export type Line = readonly Span[];

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function span(text: string, style?: Style): Span {
  return { text, style };
}

/** Cells that a text takes: emoji that are drawn as pictures take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += /\p{Emoji_Presentation}/u.test(segment) ? 2 : 1;
  return width;
}

/**
 * A text as it can be measured: symbols that are emoji only by their variation selector are left as symbols,
 * because terminals disagree about the width of the former.
 */
export function plain(text: string): string {
  return text.replaceAll('\u{FE0F}', '');
}

/** Breaks a text at its line ends and at spaces so that no line is wider; longer words are cut. */
export function wrap(text: string, width: number): string[] {
  return plain(text)
    .split('\n')
    .flatMap(paragraph => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ').flatMap(long => cut(long, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function cut(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const { segment } of graphemes.segment(word)) {
    if (piece !== '' && widthOf(piece + segment) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += segment;
  }
  return [...pieces, piece];
}

/** The lines of `left`, padded to `leftWidth` cells, each beside its line of `right`. */
export function beside(left: readonly Line[], right: readonly Line[], leftWidth: number): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const line = left[index] ?? [];
    const used = line.reduce((sum, { text }) => sum + widthOf(text), 0);
    const padding = span(' '.repeat(Math.max(0, leftWidth - used)));
    return [...line, padding, span(' │ ', 'dim'), ...(right[index] ?? [])];
  });
}

/** What is written to stdout, without the line end. */
export function paint(line: Line): string {
  return line
    .map(({ text, style }) => (style === undefined ? text : styleText(style, text)))
    .join('')
    .trimEnd();
}
