// `trt timeline <user>`: the session of one user as it happened, from the journal. Bounded: of a long session the newest
// part is shown, and the output says so.
import { parseArgs } from 'node:util';
import { chainsOfRows } from '../diagnosis/journal-chains.ts';
import { type TimelineEntry, timelineOf } from '../diagnosis/timeline.ts';
import type { Locale } from '../locales.ts';
import type { JournalRow } from '../otel/journal-row.ts';
import { localeFrom, localeUsage, viewOptions } from './chain-words.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { type JournalAccess, withJournal } from './journal.ts';
import { periodFrom } from './period.ts';
import { checkWho, userHashesOf } from './pseudonym.ts';
import { formatTable, type Row } from './table.ts';

interface Question {
  readonly who: string;
  readonly sinceText: string;
  readonly since: Date;
  readonly locale: Locale;
  readonly json: boolean;
}

/** As many rows as the journal gives at once: of a user, and of traces. */
const maxFound = 1_000;
const maxRows = 5_000;

export const timeline: Command = {
  usage: [`trt timeline <user_hash, @name or id> [--since 24h] ${localeUsage} [--json]   what one user did`],
  async run(words, terminal) {
    const question = readWords(words);
    return withJournal(terminal, async access => {
      const found = await find(access, question, terminal);
      const userHashes = new Set(found.map(({ userHash }) => userHash));
      if (userHashes.size === 0) {
        terminal.complain(
          `Nothing is known of this user in the last ${question.sinceText}. A name must have been seen by the bot; ` +
            'for names and numbers HASH_SECRET must be the one that the bot runs with.',
        );
        return false;
      }
      if (userHashes.size > 1) {
        terminal.complain(
          `${userHashes.size} users have the user_hash ${question.who}. Say which one by all its digits:\n` +
            [...userHashes].join('\n'),
        );
        return false;
      }
      const [userHash = ''] = userHashes;
      // What became of a generation stands in rows that name no user.
      const rows = await access.journal.linesOf([...new Set(found.map(({ traceId }) => traceId))]);
      if (found.length >= maxFound || rows.length >= maxRows)
        terminal.complain('The session is longer: only its newest part is shown.');
      print(
        timelineOf(chainsOfRows(rows), question.locale, { now: new Date() }),
        userHash,
        question,
        terminal,
      );
      return true;
    });
  },
};

function readWords(words: readonly string[]): Question {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { ...viewOptions, since: { type: 'string', default: '24h' } },
    allowPositionals: true,
  });
  const [who, another] = positionals;
  if (who === undefined || another !== undefined) throw new UsageError('timeline needs one user');
  return {
    who: checkWho(who),
    sinceText: values.since,
    since: new Date(Date.now() - periodFrom(values.since)),
    locale: localeFrom(values.locale),
    json: values.json,
  };
}

/** Of the first of those who may be meant that did anything. */
async function find(
  { journal, users }: JournalAccess,
  { who, since }: Question,
  terminal: Terminal,
): Promise<readonly JournalRow[]> {
  for (const userHash of await userHashesOf(who, terminal, users)) {
    const rows = await journal.byUser(userHash, { since, limit: maxFound });
    if (rows.length > 0) return rows;
  }
  return [];
}

function print(
  entries: readonly TimelineEntry[],
  userHash: string,
  { json }: Question,
  terminal: Terminal,
): void {
  if (json) {
    for (const entry of entries) terminal.print(JSON.stringify({ user_hash: userHash, ...fieldsOf(entry) }));
    return;
  }
  terminal.print(`user_hash ${userHash}, ${entries.length} actions\n`);
  const rows = entries.map(entry => ({ ...fieldsOf(entry), did: didText(entry) }));
  terminal.print(formatTable(columns, rows));
}

const columns = ['when', 'cid', 'did', 'screen', 'reason_code', 'cause', 'latency_ms', 'model', 'money'];

function didText({ did, deliveries }: TimelineEntry): string {
  return deliveries === 1 ? did : `${did} (${deliveries} deliveries)`;
}

/** In the words of the log lines. */
function fieldsOf(entry: TimelineEntry): Row {
  return {
    when: entry.at.toISOString(),
    cid: entry.cid,
    trace_id: entry.traceId,
    did: entry.did,
    deliveries: entry.deliveries,
    screen: entry.screen ?? null,
    reason_code: entry.reason ?? null,
    cause: entry.cause,
    latency_ms: entry.latencyMs ?? null,
    model: entry.model ?? null,
    money: entry.money ?? null,
  };
}
