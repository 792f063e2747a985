// `trt replay <cid>`: what the same update leads to now, in the state of then, with stand-ins for everybody outside. What
// is needed is read first, in a transaction that cannot write; then the connection is closed, and only then the sandbox
// starts. Only this command needs the sandbox, so only it loads it.
import { parseArgs } from 'node:util';
import { type Chain, numberOf } from '../diagnosis/chain.ts';
import { chainsOfRows } from '../diagnosis/journal-chains.ts';
import { originalCidOf } from '../diagnosis/verdict.ts';
import type { JournalRow } from '../otel/journal-row.ts';
import { isOfUpdate, readPast } from '../sandbox/replay/past.ts';
import { createJournalReader, type JournalReader } from '../storage/journal-store.ts';
import { printMatches, type ViewOptions } from './chain-view.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { withReadOnlyDatabase } from './database.ts';
import { cidFrom, localeFrom, viewOptions } from './explain.ts';
import { printReplay, printReplayAsJson } from './replay-view.ts';

const cidDigits = 8;

export const replayCommand: Command = {
  usage: [
    'trt replay <cid or trace id> [--locale ru|en] [--json]  the same update once more, in a sandbox in the state of then',
  ],
  async run(words, terminal) {
    const { id, options, json } = readWords(words, terminal);
    const past = await withReadOnlyDatabase(terminal, async database => {
      const found = await find(createJournalReader(database), id);
      const wanted = chosen(found, id, options);
      return wanted && readPast(database, wanted.chain, wanted.rows);
    });
    if (!past) return false;
    const { replay } = await import('../sandbox/replay/replay.ts');
    const replayed = await replay(past, terminal.environment);
    if (json) printReplayAsJson(past.chain, replayed, options);
    else printReplay(past.chain, replayed, options);
    return true;
  },
};

function readWords(
  words: readonly string[],
  terminal: Terminal,
): { readonly id: string; readonly options: ReplayView; readonly json: boolean } {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: viewOptions,
    allowPositionals: true,
  });
  const [id, another] = positionals;
  if (id === undefined || another !== undefined) throw new UsageError('replay needs one cid');
  return {
    id: cidFrom(id),
    options: { terminal, locale: localeFrom(values.locale) },
    json: values.json,
  };
}

interface ReplayView extends ViewOptions {
  readonly terminal: Terminal;
}

interface Found {
  readonly chain: Chain;
  /** Of its cid: other traces may be among them. */
  readonly rows: readonly JournalRow[];
}

/** A duplicate is followed to the update that it repeats. */
async function find(journal: Pick<JournalReader, 'byCid'>, id: string): Promise<Found[]> {
  const matches = (await ofCid(journal, id.slice(0, cidDigits))).filter(({ chain }) =>
    chain.traceId.startsWith(id),
  );
  const found = new Map<string, Found>();
  // One after the other: a command has one connection.
  for (const match of matches) {
    const original = originalCidOf(match.chain);
    const meant = original === undefined ? [match] : await ofCid(journal, original);
    for (const one of meant)
      if (updateIdOf(one.chain) === updateIdOf(match.chain)) found.set(one.chain.traceId, one);
  }
  return [...found.values()];
}

async function ofCid(journal: Pick<JournalReader, 'byCid'>, cid: string): Promise<Found[]> {
  const rows = await journal.byCid(cid);
  return chainsOfRows(rows).map(chain => ({ chain, rows }));
}

/** The one update that is meant; undefined, and said why, where there is none or more than one. */
function chosen(found: readonly Found[], id: string, options: ReplayView): Found | undefined {
  const { terminal } = options;
  const complain = (text: string): void => terminal.complain(text);
  const updates = found.filter(({ chain }) => isOfUpdate(chain));
  const [first, another] = updates;
  if (found.length === 0) complain(`Nothing is known of ${id}: it is too old, or the click never arrived.`);
  else if (!first)
    complain(
      `${id} is not of an update but of ${found[0]?.chain.events[0]?.name ?? 'a process'}: only updates can be replayed.`,
    );
  else if (another) {
    complain(`${updates.length} updates have the id ${id}. Say which one by its trace_id:`);
    printMatches(
      updates.map(({ chain }) => chain),
      { ...options, terminal: { ...terminal, print: complain } },
    );
  } else return first;
  return undefined;
}

function updateIdOf({ events }: Chain): number | undefined {
  return events.map(event => numberOf(event, 'update_id')).find(id => id !== undefined);
}
