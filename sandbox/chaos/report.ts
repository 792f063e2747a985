// The report of a run. On a failure it is all that is needed to try again: the command, the faults with their times,
// and which law was broken by what.
import { laws } from '../history/laws.ts';
import type { RunResult } from './run.ts';
import type { DoneFault } from './storm.ts';

const shownOfEachLaw = 12;

/** `command`: what runs the same again. */
export function reportOf({ startedAt, breaches, faults, figures }: RunResult, command: string): string[] {
  const lines = Object.entries(figures).map(([name, value]) => `  ${name}: ${value}`);
  if (breaches.length === 0) return [...lines, `✔ every law was kept: ${command}`];
  lines.push('', 'Faults, in seconds after the start:');
  for (const fault of faults) lines.push(`  ${faultLine(fault, startedAt)}`);
  for (const [law, broken] of Map.groupBy(breaches, breach => breach.law)) {
    lines.push('', `✘ ${law} (${laws[law].says}): ${broken.length}`);
    for (const { subject, problem } of broken.slice(0, shownOfEachLaw)) lines.push(`  ${subject} ${problem}`);
    if (broken.length > shownOfEachLaw) lines.push(`  … and ${broken.length - shownOfEachLaw} more`);
  }
  return [...lines, '', `✘ ${breaches.length} breaches. The same again: ${command}`];
}

export function faultLine(
  { number, name, instance, from, to, failure, hits, failures }: DoneFault,
  startedAt: number,
): string {
  const seconds = (at: number): string => ((at - startedAt) / 1_000).toFixed(1);
  const end = to === undefined ? '…' : seconds(to);
  const notes = [
    ...(to === undefined ? [] : [`${hits} hit`]),
    ...(failures > 0 ? [`${failures} times in vain`] : []),
    ...(failure === undefined ? [] : [failure]),
  ];
  const why = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return `${seconds(from)} – ${end}  #${number} ${name}, instance ${instance}${why}`;
}
