// `trt reasons`: how often things ended with which reason, on which screen, with which version of a model, in which
// release, beside the period of the same length before it: what a deploy or a model has made worse stands out. What the
// processes warned of themselves stands apart: it is no update's end.
import { parseArgs } from 'node:util';
import {
  type Dimension,
  dimensions,
  type ProcessTrend,
  processTrends,
  type ReasonTrend,
  reasonTrends,
} from '../diagnosis/reason-trend.ts';
import type { CountedPeriod, ProcessCount, ReasonCount } from '../storage/journal-counts.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { withJournal } from './journal.ts';
import { periodFrom } from './period.ts';
import { formatTable, type Row } from './table.ts';

interface Question {
  readonly periodMs: number;
  readonly by: readonly Dimension[];
  readonly json: boolean;
}

interface Counts {
  readonly ends: readonly ReasonCount[];
  readonly warnings: readonly ProcessCount[];
}

interface Answer {
  readonly now: Counts;
  readonly before: Counts;
  readonly since: Date;
  readonly until: Date;
}

/** As many as the journal counts at once. */
const maxKinds = 1_000;

export const reasonsCommand: Command = {
  usage: [
    'trt reasons [--since 1h] [--by screen,model,release | --by reason] [--json]   how things end, beside the time before',
  ],
  async run(words, terminal) {
    const question = readWords(words);
    const answer = await withJournal(terminal, ({ journal }) => ask(journal, question));
    print(answer, question, terminal);
    return true;
  },
};

function readWords(words: readonly string[]): Question {
  const { values } = parseArgs({
    args: [...words],
    options: {
      since: { type: 'string', default: '1h' },
      by: { type: 'string', default: dimensions.join() },
      json: { type: 'boolean', default: false },
    },
  });
  return { periodMs: periodFrom(values.since), by: dimensionsIn(values.by), json: values.json };
}

/** Counts are always split by the reason, which may be named too. */
function dimensionsIn(text: string): readonly Dimension[] {
  const words = text.split(',').filter(word => word !== 'reason');
  const unknown = words.find(word => !dimensions.some(dimension => dimension === word));
  if (unknown !== undefined)
    throw new UsageError(`reasons cannot be split by ${unknown}; use reason, ${dimensions.join(', ')}`);
  return dimensions.filter(dimension => words.includes(dimension));
}

async function ask(journal: JournalReader, { periodMs }: Question): Promise<Answer> {
  const until = new Date();
  const since = new Date(until.getTime() - periodMs);
  const now = await count(journal, { since, until });
  const before = await count(journal, { since: new Date(since.getTime() - periodMs), until: since });
  return { now, before, since, until };
}

/** One after the other: there is one connection. */
async function count(journal: JournalReader, period: CountedPeriod): Promise<Counts> {
  return {
    ends: await journal.countReasons(period),
    warnings: await journal.countOfProcesses(period),
  };
}

function print(answer: Answer, { by, json }: Question, terminal: Terminal): void {
  const { now, before, since, until } = answer;
  const trends = reasonTrends(now.ends, before.ends, by);
  const warnings = processTrends(now.warnings, before.warnings, by);
  if ([now.ends, before.ends, now.warnings, before.warnings].some(({ length }) => length >= maxKinds))
    terminal.complain(`Only the ${maxKinds} most frequent kinds were counted: the rare ones are missing.`);
  if (json) {
    for (const trend of trends) terminal.print(JSON.stringify(fieldsOf(trend)));
    for (const trend of warnings) terminal.print(JSON.stringify(processFieldsOf(trend)));
    return;
  }
  terminal.print(`From ${since.toISOString()} to ${until.toISOString()}, beside the same time before it.\n`);
  const columns = ['reason_code', ...by.flatMap(dimension => columnsOf[dimension]), ...countColumns];
  const rows = trends.map(trend => ({ ...fieldsOf(trend), change: changeText(trend) }));
  terminal.print(trends.length === 0 ? 'Nothing ended in either.' : formatTable(columns, rows));
  if (warnings.length === 0) return;
  const release = by.includes('release') ? columnsOf.release : [];
  terminal.print('\nThe service itself, outside of any update:\n');
  terminal.print(
    formatTable(
      ['event', 'operation', 'reason_code', ...release, ...countColumns],
      warnings.map(trend => ({ ...processFieldsOf(trend), change: changeText(trend) })),
    ),
  );
}

const countColumns = ['count', 'before', 'change'];

const columnsOf: Readonly<Record<Dimension, readonly string[]>> = {
  screen: ['screen_id'],
  model: ['model_id', 'model_version'],
  release: ['release'],
};

/** In the words of the log lines. */
function fieldsOf({ count, before, ...kind }: ReasonTrend): Row {
  return {
    reason_code: kind.reasonCode,
    screen_id: kind.screenId ?? null,
    model_id: kind.modelId ?? null,
    model_version: kind.modelVersion ?? null,
    release: kind.release ?? null,
    count,
    before,
    change: count - before,
  };
}

/** In the words of the log lines. */
function processFieldsOf({ event, operation, reasonCode, release, count, before }: ProcessTrend): Row {
  return {
    event,
    operation: operation ?? null,
    reason_code: reasonCode ?? null,
    release: release ?? null,
    count,
    before,
    change: count - before,
  };
}

/** `+4 (+50 %)`, `+4 (new)`, `-3 (gone)`, `0`. */
function changeText({ count, before }: Pick<ReasonTrend, 'count' | 'before'>): string {
  const change = count - before;
  if (change === 0) return '0';
  const sign = change > 0 ? '+' : '';
  if (before === 0) return `${sign}${change} (new)`;
  if (count === 0) return `${change} (gone)`;
  return `${sign}${change} (${sign}${Math.round((change / before) * 100)} %)`;
}
