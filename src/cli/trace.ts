// `trt trace <cid>`: everything that is known of one cid, newest trace first: the verdict, the events, the spans. A
// duplicate is followed to the update that it repeats. Where the chains come from is handed in.
import { parseArgs } from 'node:util';
import type { Chain } from '../diagnosis/chain.ts';
import type { ChainSource } from '../diagnosis/journal-chains.ts';
import { originalCidOf } from '../diagnosis/verdict.ts';
import { printChain, printChainAsJson, printMatches, type ViewOptions } from './chain-view.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { cidFrom, localeFrom, viewOptions } from './explain.ts';

const cidDigits = 8;

/** Opens the source for the time of `work`, and throws AppError with a sentence where it cannot. */
export type WithChains = (
  terminal: Terminal,
  work: (source: ChainSource) => Promise<boolean>,
) => Promise<boolean>;

export function createTrace(withChains: WithChains): Command {
  return {
    usage: ['trt trace <cid or trace id> [--locale ru|en] [--json]   what happened, and why'],
    async run(words, terminal) {
      const { id, options, json } = readWords(words, terminal);
      return withChains(terminal, async source => {
        const matches = await find(source, id);
        if (matches.length === 0) {
          terminal.complain(`Nothing is known of ${id}: it is too old, or the click never arrived.`);
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

function readWords(
  words: readonly string[],
  terminal: Terminal,
): { readonly id: string; readonly options: ViewOptions; readonly json: boolean } {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: viewOptions,
    allowPositionals: true,
  });
  const [id, another] = positionals;
  if (id === undefined || another !== undefined) throw new UsageError('trace needs one cid');
  return {
    id: cidFrom(id),
    options: { terminal, locale: localeFrom(values.locale) },
    json: values.json,
  };
}

async function find(source: ChainSource, id: string): Promise<readonly Chain[]> {
  const chains = await source.byCid(id.slice(0, cidDigits));
  return chains.filter(({ traceId }) => traceId.startsWith(id));
}

async function withOriginals(source: ChainSource, chains: readonly Chain[]): Promise<readonly Chain[]> {
  const known = new Set(chains.map(({ cid }) => cid));
  const cids = new Set(chains.flatMap(chain => originalCidOf(chain) ?? []).filter(cid => !known.has(cid)));
  const originals: Chain[] = [];
  // One after the other: a command has one connection.
  for (const cid of cids) originals.push(...(await source.byCid(cid)));
  return [...chains, ...originals];
}
