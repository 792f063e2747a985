// Telemetry for what a part of the process asks again and again by itself: a database that is gone for an hour leaves
// some hundred lines, and not one for each time. Not for what fails for an update, which has its reason under its cid.
import { createRepeats, type Repeats } from './repeats.ts';
import type { Telemetry } from './telemetry.ts';
import { warningFields } from './warning.ts';

export interface PeriodicWarnings extends Pick<Repeats, 'stop'> {
  /** A warning of it is emitted at once, then the same again at most every 10 s, with `repeat_count`. */
  readonly telemetry: Telemetry;
}

const lineEveryMs = 10_000;

export function createPeriodicWarnings(telemetry: Telemetry): PeriodicWarnings {
  const repeats = createRepeats(lineEveryMs);

  return {
    telemetry: {
      ...telemetry,
      warn(operation, error, reason) {
        const fields = warningFields(telemetry.scrub, operation, error, reason);
        // Times and ids in it do not make it another one.
        const kind = [operation, fields.error_type, fields.error_message.replaceAll(/\d+/g, '#')].join(' ');
        repeats.add(kind, count =>
          telemetry.emit('SYSTEM_WARNING', count > 1 ? { ...fields, repeat_count: count } : fields),
        );
      },
    },
    stop: repeats.stop,
  };
}
