// `trt replay <cid>`: what the same update leads to now, in the state of then, with stand-ins for everybody outside. What
// is needed is read first, in a transaction that cannot write; then the connection is closed, and only then the sandbox
// starts. Only this command needs the sandbox, so only it loads it: the production
// image does not hold it.
import { type Chain, isOfUpdate, updateIdOf } from '../diagnosis/chain.ts';
import { chainsOfRows } from '../diagnosis/journal-chains.ts';
import { originalCidOf } from '../diagnosis/verdict.ts';
import { AppError } from '../errors.ts';
import { cidOf } from '../otel/cid.ts';
import type { JournalRow } from '../otel/journal-row.ts';
import { createJournalReader, type JournalReader } from '../storage/journal-store.ts';
import { printMatches, type ViewOptions } from './chain-view.ts';
import { localeUsage, nothingKnownOf, readOneChain } from './chain-words.ts';
import type { Command, Terminal } from './command.ts';
import { withReadOnlyDatabase } from './database.ts';
import { printReplay, printReplayAsJson } from './replay-view.ts';

export const replayCommand: Command = {
  usage: [
    `trt replay <cid or trace id> ${localeUsage} [--json]  the same update once more, in a sandbox in the state of then`,
  ],
  async run(words, terminal) {
    const { id, locale, json } = readOneChain('replay', words);
    const options = { terminal, locale };
    const { readPast, replay } = await loadSandbox();
    const past = await withReadOnlyDatabase(terminal, async database => {
      const found = await find(createJournalReader(database), id);
      const wanted = chosen(found, id, options);
      return wanted && readPast(database, wanted.chain, wanted.rows);
    });
    if (!past) return false;
    const replayed = await replay(past, terminal.environment);
    if (json) printReplayAsJson(past.chain, replayed, options);
    else printReplay(past.chain, replayed, options);
    return true;
  },
};

/** Throws AppError REPLAY_IMPOSSIBLE where the sandbox, or the Postgres that it starts, is not installed. */
async function loadSandbox() {
  try {
    const [{ readPast }, { replay }] = await Promise.all([
      import('../../sandbox/replay/past.ts'),
      import('../../sandbox/replay/replay.ts'),
    ]);
    return { readPast, replay };
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw new AppError({
      code: 'REPLAY_IMPOSSIBLE',
      message:
        'trt replay needs the sandbox, which this installation does not hold. Run it in a clone of the release, after npm ci, with the DATABASE_URL of the bot.',
      cause,
    });
  }
}

interface Found {
  readonly chain: Chain;
  /** Of its cid: other traces may be among them. */
  readonly rows: readonly JournalRow[];
}

/** A duplicate is followed to the update that it repeats. */
async function find(journal: Pick<JournalReader, 'byCid'>, id: string): Promise<Found[]> {
  const matches = (await ofCid(journal, cidOf(id))).filter(({ chain }) => chain.traceId.startsWith(id));
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
function chosen(
  found: readonly Found[],
  id: string,
  options: ViewOptions & { readonly terminal: Terminal },
): Found | undefined {
  const { terminal } = options;
  const complain = (text: string): void => terminal.complain(text);
  const updates = found.filter(({ chain }) => isOfUpdate(chain));
  const [first, another] = updates;
  if (found.length === 0) complain(nothingKnownOf(id));
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
