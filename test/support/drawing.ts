// Drawing screens without a bot: a view of the shipped catalogue with test prices, and what Telegram takes of a drawing.
import { expect } from 'vitest';
import { parseHtml } from '../../sandbox/telegram/html.ts';
import { createPriceList } from '../../src/billing/price-list.ts';
import { type Catalogue, createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Locale } from '../../src/locales.ts';
import { decodeButton } from '../../src/ui/codec.ts';
import type { RenderedScreen } from '../../src/ui/keyboard.ts';
import { type ButtonName, buttons } from '../../src/ui/registry.ts';
import type { ScreenId } from '../../src/ui/screens.ts';
import { createTexts } from '../../src/ui/texts.ts';
import type { View } from '../../src/ui/view.ts';

const texts = createTexts();

/** What a bot with a rate of 100 roubles draws with. */
export function viewIn(locale: Locale, catalogue: Catalogue = createCatalogue()): View {
  const { startingPrice } = createPriceList({ catalogue, rates: { usdRub: '100', multiplier: '2' } });
  return { locale, t: texts.for(locale), catalogue, startingPrice };
}

/** The buttons of a drawing in reading order, as the registry names them. Fails for data that does not decode. */
export function buttonNamesOf({ rows }: RenderedScreen): ButtonName[] {
  return rows.flat().map(({ data }) => {
    const decoded = decodeButton(data);
    return decoded.ok ? decoded.button : expect.fail(`${data} is ${decoded.reason}`);
  });
}

/** What a user reads of a drawing, without its markup. */
export function plainTextOf({ text }: RenderedScreen): string {
  return parseHtml(text).text;
}

const maxTextLength = 4_096;
export const maxCaptionLength = 1_024;
const maxButtons = 100;
const maxButtonsInRow = 8;
const maxDataBytes = 64;

/** Fails unless Telegram takes the drawing as it is, and each of its buttons may stand on that screen. */
export function expectTaken(screen: ScreenId, drawn: RenderedScreen, maxLength = maxTextLength): void {
  const text = plainTextOf(drawn);
  expect(text.length, screen).toBeLessThanOrEqual(maxLength);
  expect(text.trim(), screen).not.toBe('');
  expect(drawn.text, screen).not.toMatch(/undefined|NaN|\{ ?\$/);
  const row = drawn.rows.flat();
  expect(row.length, screen).toBeLessThanOrEqual(maxButtons);
  for (const { length } of drawn.rows) {
    expect(length, screen).toBeGreaterThan(0);
    expect(length, screen).toBeLessThanOrEqual(maxButtonsInRow);
  }
  for (const { text: label, data } of row) {
    expect(label.trim(), data).not.toBe('');
    expect(label, data).not.toMatch(/undefined|NaN|\{ ?\$/);
    expect(Buffer.byteLength(data), data).toBeLessThanOrEqual(maxDataBytes);
  }
  expect(new Set(row.map(({ data }) => data)).size, `${screen}: one button twice`).toBe(row.length);
  for (const name of buttonNamesOf(drawn))
    expect(buttons[name].from, `${name} on ${screen}`).toContain(screen);
}
