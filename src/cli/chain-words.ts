// What is said to a command that shows chains: which one, in which language, and whether for people or for programs.
import { parseArgs } from 'node:util';
import { type Locale, locales } from '../locales.ts';
import { UsageError } from './command.ts';

const alternatives = new Intl.ListFormat('en', { type: 'disjunction' });

/** In the usage of every command that shows chains. */
export const localeUsage = `[--locale ${locales.join('|')}]`;

/** Of every command that shows chains. */
export const viewOptions = {
  locale: { type: 'string', default: 'en' },
  json: { type: 'boolean', default: false },
} as const;

export interface OneChain {
  /** A cid or more of a trace id, lower case. */
  readonly id: string;
  readonly locale: Locale;
  readonly json: boolean;
}

/** Of a command that is asked for one chain. Throws UsageError. */
export function readOneChain(command: string, words: readonly string[]): OneChain {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: viewOptions,
    allowPositionals: true,
  });
  const [id, another] = positionals;
  if (id === undefined || another !== undefined) throw new UsageError(`${command} needs one cid`);
  return { id: cidFrom(id), locale: localeFrom(values.locale), json: values.json };
}

/** Throws UsageError. */
export function localeFrom(text: string): Locale {
  const locale = locales.find(known => known === text);
  if (!locale) throw new UsageError(`${text} is no locale: it is ${alternatives.format(locales)}`);
  return locale;
}

/** Lower case. Throws UsageError for what is neither a cid (8 hex digits) nor more of a trace id (32). */
export function cidFrom(text: string): string {
  if (!/^[0-9a-f]{8,32}$/i.test(text))
    throw new UsageError(`${text} is no cid (8 hex digits) and no trace id (32)`);
  return text.toLowerCase();
}

/** A journal that cannot be written is no proof that nothing arrived: the lines have what waits for it. */
export function nothingKnownOf(id: string): string {
  return (
    `Nothing is known of ${id}: it is mistyped or too old, the click never arrived, or the bot could not write it ` +
    'into the journal yet (SYSTEM_WARNING write the journal); trt explain finds what is in the lines.'
  );
}
