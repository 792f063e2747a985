// How far back a command looks: `90m`, `1h`, `7d`.
import { UsageError } from './command.ts';

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. Throws UsageError. */
export function periodFrom(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,3})([mhd])$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (count === undefined || unitMs === undefined)
    throw new UsageError(`${text} is no period: give minutes, hours or days, such as 90m, 1h or 7d`);
  return Number(count) * unitMs;
}
