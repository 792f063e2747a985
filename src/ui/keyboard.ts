// Buttons under a screen: their data is encoded here and nowhere else, so that every button that is drawn decodes.
import { encodeButton } from './codec.ts';
import type { ArgsOf, ButtonName } from './registry.ts';

export interface RenderedButton {
  readonly text: string;
  readonly data: string;
}

export type ButtonRow = readonly RenderedButton[];

export interface RenderedScreen {
  /** Telegram HTML. */
  readonly text: string;
  readonly rows: readonly ButtonRow[];
  /** A last button that copies a text on the user's own device; the bot hears nothing of it. */
  readonly copy?: { readonly text: string; readonly value: string };
}

export function button<B extends ButtonName>(text: string, name: B, ...args: ArgsOf<B>): RenderedButton {
  return { text, data: encodeButton(name, args) };
}

export function inRows(buttons: readonly RenderedButton[], perRow: number): ButtonRow[] {
  const rows: ButtonRow[] = [];
  for (let start = 0; start < buttons.length; start += perRow)
    rows.push(buttons.slice(start, start + perRow));
  return rows;
}
