// Draws the table of the smoke test, a line for each check, and its summary. Knows nothing of how they came about.
import { type Line, span, widthOf } from '../stage/columns.ts';
import type { Check } from './walk.ts';

export interface Summary {
  readonly checks: readonly Check[];
  /** What does not belong to one check. */
  readonly leftovers: readonly string[];
  readonly steps: number;
  readonly updates: number;
  readonly tookMs: number;
}

const whatWidth = 40;
const expectedWidth = 34;
const seenWidth = 34;

export function isPassed({ checks, leftovers }: Pick<Summary, 'checks' | 'leftovers'>): boolean {
  return checks.length > 0 && leftovers.length === 0 && checks.every(({ problems }) => problems.length === 0);
}

export function drawHeading(): Line {
  return [span(`  ${row('what', 'expected', 'seen')}cid`, 'bold')];
}

export function drawCheck({ what, expected, seen, cid, problems }: Check): Line[] {
  const passed = problems.length === 0;
  return [
    [
      passed ? span('✔ ', 'green') : span('✘ ', ['bold', 'red']),
      span(row(what, expected, seen)),
      span(cid ?? '–', 'dim'),
    ],
    ...problems.map((problem): Line => [span(`    ${problem}`, 'red')]),
  ];
}

export function drawSummary(summary: Summary): Line[] {
  const { checks, leftovers, steps, updates, tookMs } = summary;
  const failed = checks.filter(({ problems }) => problems.length > 0).length + leftovers.length;
  const counted = (kind: Check['kind'], name: string): string =>
    `${checks.filter(check => check.kind === kind).length} ${name}`;
  const verdict = isPassed(summary)
    ? span('✔ smoke test passed', ['bold', 'green'])
    : span(`✘ smoke test failed: ${failed} of its checks`, ['bold', 'red']);
  return [
    [],
    ...leftovers.map((problem): Line => [span('✘ ', ['bold', 'red']), span(problem, 'red')]),
    [
      verdict,
      span(
        ` – ${counted('button', 'buttons on their screens')}, ${counted('command', 'commands')}, ${counted('rule', 'broken rules')}; ${steps} steps, ${updates} updates${isPassed(summary) ? ', each with its outcome' : ''} (${(tookMs / 1_000).toFixed(1)} s)`,
      ),
    ],
  ];
}

function row(what: string, expected: string, seen: string): string {
  return `${cell(what, whatWidth)} ${cell(expected, expectedWidth)} ${cell(seen, seenWidth)} `;
}

function cell(text: string, width: number): string {
  const shown = widthOf(text) <= width ? text : `${text.slice(0, width - 1).toWellFormed()}…`;
  return shown + ' '.repeat(Math.max(0, width - widthOf(shown)));
}
