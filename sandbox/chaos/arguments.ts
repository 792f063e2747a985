// What can be said on the command line of `npm run chaos`.
import { parseArgs } from 'node:util';
import { type FaultName, faultNames, isFaultName } from './faults.ts';

export interface ChaosArguments {
  readonly minutes: number;
  readonly seed: number;
  readonly instances: number;
  readonly mode: 'single' | 'cluster';
  /** How updates come. */
  readonly source: 'webhook' | 'polling';
  readonly users: number;
  readonly names: readonly FaultName[];
  /** A folder that gets the lines of each instance. */
  readonly lines: string | undefined;
}

const longestMinutes = 60;

/** Throws an Error that says in a sentence what cannot be. */
export function readArguments(given: readonly string[]): ChaosArguments {
  const { values } = parseArgs({
    args: [...given],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string' },
      instances: { type: 'string', default: '2' },
      mode: { type: 'string', default: 'single' },
      source: { type: 'string', default: 'webhook' },
      users: { type: 'string', default: '6' },
      faults: { type: 'string' },
      lines: { type: 'string' },
    },
  });
  const { mode, source } = values;
  if (mode !== 'single' && mode !== 'cluster') throw new Error('--mode must be single or cluster');
  if (source !== 'webhook' && source !== 'polling') throw new Error('--source must be webhook or polling');
  return {
    minutes: numberOf('minutes', values.minutes, 0.1, longestMinutes),
    seed: Math.floor(numberOf('seed', values.seed ?? String(Date.now() % 100_000), 0, 2 ** 31)),
    instances: Math.floor(numberOf('instances', values.instances, 1, 5)),
    mode,
    source,
    users: Math.floor(numberOf('users', values.users, 1, 100)),
    names: namesOf(values.faults),
    lines: values.lines,
  };
}

/** The command that gives the same. */
export function commandOf({ minutes, seed, instances, mode, source, users, names }: ChaosArguments): string {
  const only = names.length === faultNames.length ? '' : ` --faults ${names.join(',')}`;
  return `npm run chaos -- --minutes ${minutes} --seed ${seed} --instances ${instances} --mode ${mode} --source ${source} --users ${users}${only}`;
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most))
    throw new Error(`--${name} must be a number from ${least} to ${most}`);
  return value;
}

function namesOf(text: string | undefined): readonly FaultName[] {
  if (text === undefined) return faultNames;
  const names = text.split(',').map(name => name.trim());
  return names.map(name => {
    if (!isFaultName(name)) throw new Error(`There is no fault ${name}. There are: ${faultNames.join(', ')}`);
    return name;
  });
}
