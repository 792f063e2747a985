// `trt dead-letters`: what was given up, and how to have it worked once more. What a redriven update meets,
// because it is older than what came after it, is described in docs/dead-letters.md.
import { parseArgs } from 'node:util';
import {
  createDeadLetterStore,
  type DeadLetter,
  type DeadLetterStore,
} from '../storage/dead-letter-store.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { withDatabase } from './database.ts';
import { formatTable, type Row } from './table.ts';

export const deadLetters: Command = {
  usage: [
    'trt dead-letters list [--json]               what was given up, newest first',
    'trt dead-letters redrive <cid or trace id>   have one worked again',
    'trt dead-letters redrive --all               have all of them worked again',
  ],
  async run(words, terminal) {
    const [action, ...rest] = words;
    if (action === 'list') {
      const { json } = readList(rest);
      return withStore(terminal, store => list(store, terminal, json));
    }
    if (action === 'redrive') {
      const wanted = readRedrive(rest);
      return withStore(terminal, store => redrive(store, terminal, wanted));
    }
    throw new UsageError(
      action === undefined ? 'dead-letters needs an action' : `dead-letters has no ${action}`,
    );
  },
};

/** All dead letters, or those of one cid or trace id. */
type Wanted = 'all' | { readonly traceIdPrefix: string };

function withStore(terminal: Terminal, work: (store: DeadLetterStore) => Promise<boolean>): Promise<boolean> {
  return withDatabase(terminal, database => work(createDeadLetterStore(database)));
}

function readList(words: readonly string[]): { readonly json: boolean } {
  const { values } = parseArgs({ args: [...words], options: { json: { type: 'boolean', default: false } } });
  return values;
}

function readRedrive(words: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { all: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [id, another] = positionals;
  if ((id === undefined) !== values.all || another !== undefined)
    throw new UsageError('redrive needs one cid, or --all');
  if (id === undefined) return 'all';
  // From the cid, its first 8 digits, to the whole trace id.
  if (!/^[0-9a-f]{8,32}$/i.test(id))
    throw new UsageError(`${id} is no cid (8 hex digits) and no trace id (32)`);
  return { traceIdPrefix: id.toLowerCase() };
}

async function list(store: DeadLetterStore, terminal: Terminal, json: boolean): Promise<boolean> {
  const letters = await store.find('');
  if (json) for (const letter of letters) terminal.print(JSON.stringify(toRow(letter)));
  else terminal.print(letters.length === 0 ? 'No dead letters.' : formatTable(columns, letters.map(toRow)));
  return true;
}

async function redrive(store: DeadLetterStore, terminal: Terminal, wanted: Wanted): Promise<boolean> {
  const letters = await store.find(wanted === 'all' ? '' : wanted.traceIdPrefix);
  const found = formatTable([...columns, 'trace_id'], letters.map(toRow));
  if (letters.length === 0) {
    terminal.complain(
      wanted === 'all' ? 'There are no dead letters.' : `No dead letter has the id ${wanted.traceIdPrefix}.`,
    );
    return false;
  }
  if (wanted !== 'all' && letters.length > 1) {
    terminal.complain(
      `${letters.length} dead letters have the id ${wanted.traceIdPrefix}. Say which one by its trace_id:\n${found}`,
    );
    return false;
  }
  const redriven = await store.redrive(letters);
  terminal.print(`${found}\nRedriven: ${redriven}. Each is worked before what waits in its chat.`);
  if (redriven === letters.length) return true;
  terminal.complain(`${letters.length - redriven} had been redriven by somebody else a moment before.`);
  return false;
}

const columns = ['when', 'cid', 'event_type', 'reason_code', 'attempts'];

/** In the words of the log lines; `when` is when it was given up. */
function toRow(letter: DeadLetter): Row {
  return {
    when: letter.givenUpAt.toISOString(),
    cid: letter.cid,
    event_type: letter.eventType,
    reason_code: letter.reason,
    attempts: letter.attempts,
    received_at: letter.receivedAt.toISOString(),
    trace_id: letter.traceId,
  };
}
