// What the process says of itself, put together: the logger, the rows for the journal, the counts behind the metrics,
// and the telemetry in front of them. Made first, because every other part gets it. Rows are gathered from the beginning;
// journaling.ts writes them once there is a database.
import { type Config, secretsOf } from '../config/config.ts';
import type { InstanceStateHolder } from '../lock/instance-state.ts';
import { createEventCounts, type EventCounts } from '../otel/event-counts.ts';
import { createJournal, type Journal } from '../otel/journal.ts';
import { createLogger, type LogDestination, type Logger } from '../otel/logger.ts';
import { createPeriodicWarnings, type PeriodicWarnings } from '../otel/periodic-warnings.ts';
import { createScrubber } from '../otel/redaction.ts';
import { createTelemetry, type Telemetry } from '../otel/telemetry.ts';
import { nameInWarnings } from '../postgres/named-warnings.ts';
import { service } from '../service.ts';
import { encodeRow } from '../storage/journal-row-text.ts';
import type { DatabaseAddresses } from './databases.ts';

export interface Observability {
  readonly logger: Logger;
  /** Absent where the journal is switched off. */
  readonly journal: Journal | undefined;
  readonly eventCounts: EventCounts;
  readonly telemetry: Telemetry;
  /** The same, for parts that ask again and again by themselves: a warning that repeats becomes one line in 10 s. */
  readonly periodic: PeriodicWarnings;
  /** The periodic one, for what is asked of DATABASE_URL: warnings of a database name it. */
  readonly ofDatabase: Telemetry;
  /** The same for LOCK_DATABASE_URL. */
  readonly ofLockDatabase: Telemetry;
}

export interface ObservabilityOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly state: Pick<InstanceStateHolder, 'botState'>;
  readonly addresses: DatabaseAddresses;
  /** Process stdout by default. */
  readonly logDestination?: LogDestination | undefined;
}

export function createObservability(options: ObservabilityOptions): Observability {
  const { config, instanceId, addresses, logDestination } = options;
  const logger = createLogger({
    format: config.log.format,
    level: config.log.level,
    ...(logDestination ? { destination: logDestination } : {}),
    ...(config.log.otlp ? { otlp: { serviceName: service.name, serviceVersion: service.version } } : {}),
  });
  // A name of the operator's own; what is no text would not be stored.
  const writer = { instanceId, release: config.instance.release.replaceAll(/\p{Cc}/gu, '') };
  const journal = config.journal && createJournal({ encode: entry => encodeRow(entry, writer) });
  const eventCounts = createEventCounts();
  const telemetry = createTelemetry({
    logger,
    sinks: [eventCounts],
    journal,
    instance: { instance_id: instanceId, botState: options.state.botState },
    scrub: createScrubber(secretsOf(config)),
    serviceVersion: service.version,
    checked: config.environment !== 'production',
  });
  logger.warnBy(telemetry.warn);
  const periodic = createPeriodicWarnings(telemetry);
  return {
    logger,
    journal,
    eventCounts,
    telemetry,
    periodic,
    ofDatabase: nameInWarnings(periodic.telemetry, () => addresses.main().name),
    ofLockDatabase: nameInWarnings(periodic.telemetry, () => addresses.direct().name),
  };
}
