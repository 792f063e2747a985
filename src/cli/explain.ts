// `trt explain`: the verdicts of a log that is given on standard input, for those who have logs and no database.
import { parseArgs } from 'node:util';
import { type Chain, type ChainEvent, chainsOf } from '../diagnosis/chain.ts';
import { parseLine } from '../diagnosis/lines.ts';
import { surroundingsOfEvents } from '../diagnosis/surroundings.ts';
import { originalCidOf } from '../diagnosis/verdict.ts';
import type { Locale } from '../locales.ts';
import { printChain, printChainAsJson, printChains, type ViewOptions } from './chain-view.ts';
import { cidFrom, localeFrom, localeUsage, viewOptions } from './chain-words.ts';
import type { Command, Terminal } from './command.ts';

export const explain: Command = {
  usage: [
    `trt explain [--cid <cid or trace id>] ${localeUsage} [--json] < logfile   why, from stdout lines alone`,
  ],
  async run(words, terminal) {
    const { cid, locale, json } = readWords(words);
    const { events, foreign } = await readEvents(terminal);
    const chains = chainsOf(events);
    const options: ViewOptions = { terminal, locale, surroundings: surroundingsOfEvents(events) };
    if (foreign > 0) terminal.complain(`${foreign} lines were not of the bot and were left out.`);
    const wanted = cid === undefined ? chains : chains.filter(chain => chain.traceId.startsWith(cid));
    if (wanted.length === 0) {
      terminal.complain(cid === undefined ? 'There is no line of the bot.' : `No line has the cid ${cid}.`);
      return false;
    }
    if (json) for (const chain of wanted) printChainAsJson(chain, options);
    else if (cid === undefined) printChains(wanted, options);
    else for (const chain of withOriginals(wanted, chains)) printChain(chain, options);
    return true;
  },
};

function readWords(words: readonly string[]): {
  readonly cid: string | undefined;
  readonly locale: Locale;
  readonly json: boolean;
} {
  const { values } = parseArgs({ args: [...words], options: { ...viewOptions, cid: { type: 'string' } } });
  return {
    cid: values.cid === undefined ? undefined : cidFrom(values.cid),
    locale: localeFrom(values.locale),
    json: values.json,
  };
}

async function readEvents(
  terminal: Terminal,
): Promise<{ readonly events: readonly ChainEvent[]; readonly foreign: number }> {
  const events: ChainEvent[] = [];
  let foreign = 0;
  for await (const line of terminal.readLines()) {
    const found = parseLine(line);
    for (const event of found) events.push(event);
    if (found.length === 0 && line.trim() !== '') foreign += 1;
  }
  return { events, foreign };
}

/** A duplicate is followed by the update that it repeats. */
function withOriginals(wanted: readonly Chain[], all: readonly Chain[]): Chain[] {
  const originals = wanted.flatMap(chain => {
    const cid = originalCidOf(chain);
    return cid === undefined ? [] : all.filter(other => other.cid === cid);
  });
  return [...new Set([...wanted, ...originals])];
}
