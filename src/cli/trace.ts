// `trt trace <cid>`: everything that is known of one cid, newest trace first: the verdict, the events, the spans. A
// duplicate is followed to the update that it repeats. Where the chains come from is handed in.
import type { Chain } from '../diagnosis/chain.ts';
import type { ChainSource } from '../diagnosis/journal-chains.ts';
import { originalCidOf } from '../diagnosis/verdict.ts';
import { cidOf } from '../otel/cid.ts';
import { printChain, printChainAsJson, printMatches, type ViewOptions } from './chain-view.ts';
import { localeUsage, nothingKnownOf, readOneChain } from './chain-words.ts';
import type { Command, Terminal } from './command.ts';

/** Opens the source for the time of `work`, and throws AppError with a sentence where it cannot. */
export type WithChains = (
  terminal: Terminal,
  work: (source: ChainSource) => Promise<boolean>,
) => Promise<boolean>;

export function createTrace(withChains: WithChains): Command {
  return {
    usage: [`trt trace <cid or trace id> ${localeUsage} [--json]   what happened, and why`],
    async run(words, terminal) {
      const { id, locale, json } = readOneChain('trace', words);
      const options: ViewOptions = { terminal, locale };
      return withChains(terminal, async source => {
        const matches = await find(source, id);
        if (matches.length === 0) {
          terminal.complain(nothingKnownOf(id));
          return false;
        }
        if (matches.length > 1 && !json) printMatches(matches, options);
        const chains = await withOriginals(source, matches);
        for (const chain of chains) {
          const surroundings = { now: new Date(), processEvents: await source.processEvents(chain) };
          if (json) printChainAsJson(chain, { ...options, surroundings });
          else printChain(chain, { ...options, surroundings });
        }
        return true;
      });
    },
  };
}

async function find(source: ChainSource, id: string): Promise<readonly Chain[]> {
  const chains = await source.byCid(cidOf(id));
  return chains.filter(({ traceId }) => traceId.startsWith(id));
}

async function withOriginals(source: ChainSource, chains: readonly Chain[]): Promise<readonly Chain[]> {
  const known = new Set(chains.map(({ cid }) => cid));
  const cids = new Set(chains.flatMap(chain => originalCidOf(chain) ?? []).filter(cid => !known.has(cid)));
  const originals: (readonly Chain[])[] = [];
  // One after the other: a command has one connection.
  for (const cid of cids) originals.push(await source.byCid(cid));
  return [...chains, ...originals.flat()];
}
