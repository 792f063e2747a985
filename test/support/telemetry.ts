// Telemetry as the program makes it, whose lines stay in memory; spans go where those of all tests go.
import { expect } from 'vitest';
import { createLogger, type Logger, type LoggerOptions } from '../../src/otel/logger.ts';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../../src/otel/telemetry.ts';
import type { Line } from './bot.ts';

export interface RecordedTelemetry {
  readonly telemetry: Telemetry<string>;
  readonly logger: Logger;
  /** Lines as they were written. */
  readonly output: readonly string[];
  /** The same, parsed; empty where they are no JSON. */
  readonly lines: readonly Line[];
  /** The only line; fails when there is none, or another. */
  line(): Line;
}

export type RecordingOptions = Partial<Pick<LoggerOptions, 'format' | 'level'>> &
  Partial<Pick<TelemetryOptions, 'scrub' | 'sinks' | 'journal' | 'checked'>>;

export function recordTelemetry(options: RecordingOptions = {}): RecordedTelemetry {
  const { format = 'json', level = 'INFO', ...given } = options;
  const output: string[] = [];
  const lines: Line[] = [];
  const destination = {
    write(line: string): void {
      output.push(line);
      if (format === 'json') lines.push(JSON.parse(line));
    },
  };
  const logger = createLogger({ format, level, destination });
  const telemetry = createTelemetry({
    logger,
    instance: { instance_id: 'instance-1', botState: () => 'ACTIVE' },
    scrub: text => text,
    serviceVersion: '0',
    ...given,
  });
  return {
    telemetry,
    logger,
    output,
    lines,
    line() {
      const [line, another] = lines;
      if (!line || another) expect.fail(`There are ${lines.length} lines`);
      return line;
    },
  };
}
