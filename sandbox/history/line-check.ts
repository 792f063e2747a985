// What every line of the bot's stdout must be: JSON, with the reason where something was refused or failed, and without
// anything that nobody may read.
import type { Finding } from './history.ts';

export interface LineCheck {
  /** The parsed line; undefined where it could not be parsed. */
  read(text: string): Readonly<Record<string, unknown>> | undefined;
  /** Lines that were not as they must be, the first ones of each kind. */
  readonly findings: readonly Finding[];
}

const needsReason = /(_FAIL|_FAILED|_REJECTED|_REFUSED|_DROPPED)$/;
/** They end the process before there is anything to say to a user. */
const withoutReason: ReadonlySet<string> = new Set(['BOOT_FAIL']);
const keptOfEach = 3;

/** `secrets`: texts that must stand in no line. */
export function createLineCheck(secrets: readonly string[]): LineCheck {
  const findings: Finding[] = [];
  const counts = new Map<string, number>();

  function find(kind: string, subject: string, problem: string): void {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= keptOfEach) findings.push({ subject, problem });
  }

  return {
    findings,
    read(text) {
      const line = parse(text);
      if (line === undefined) {
        find('unreadable', 'stdout', `is no line of JSON: ${text.slice(0, 200)}`);
        return undefined;
      }
      const name = String(line.name);
      const subject = `${name} (cid ${String(line.cid)})`;
      if (needsReason.test(name) && !withoutReason.has(name) && typeof line.reason_code !== 'string')
        find(`reason ${name}`, subject, 'has no reason_code');
      for (const [index, secret] of secrets.entries())
        if (text.includes(secret)) find(`secret ${index}`, subject, `shows secret ${index + 1}`);
      return line;
    },
  };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const line: unknown = JSON.parse(text);
    // SAFETY: an object of JSON has names and values.
    return typeof line === 'object' && line !== null ? (line as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
