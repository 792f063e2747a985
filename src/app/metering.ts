// What the metrics of an instance are read from.
import { performance } from 'node:perf_hooks';
import type { Config } from '../config/config.ts';
import type { Health } from '../health/instance-health.ts';
import type { KieClient } from '../kie/client.ts';
import type { InstanceStateHolder } from '../lock/instance-state.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { EventCount, EventCounts } from '../otel/event-counts.ts';
import type { Logger } from '../otel/logger.ts';
import { type Observation, observeMetrics } from '../otel/metrics.ts';
import { service } from '../service.ts';

export interface MeteringOptions {
  readonly config: Pick<Config, 'inboxMax'>;
  readonly state: Pick<InstanceStateHolder, 'botState'>;
  readonly health: Health;
  readonly lease: CurrentLease;
  readonly kie: Pick<KieClient, 'breakerState'>;
  readonly observability: {
    readonly eventCounts: Pick<EventCounts, 'read'>;
    readonly logger: Pick<Logger, 'dropped'>;
  };
}

export function startMetering(options: MeteringOptions): void {
  const { health } = options;
  const { eventCounts, logger } = options.observability;
  let busySince = performance.eventLoopUtilization();

  function eventLoopUtilization(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, busySince);
    busySince = now;
    return utilization;
  }

  observeMetrics(
    {
      'trt.events': () => eventCounts.read().map(toObservation),
      'trt.instance.active': () => (options.state.botState() === 'ACTIVE' ? 1 : 0),
      'trt.lock.epoch': () => options.lease().epoch,
      'trt.lock.heartbeat.age': async () => inSeconds((await health.lock()).holder?.heartbeatAgeMs),
      'trt.inbox.depth': health.queueDepth,
      'trt.inbox.limit': () => options.config.inboxMax,
      'trt.database.latency': async () => inSeconds(await health.databaseLatencyMs()),
      'trt.supplier.available': () => (options.kie.breakerState() === 'closed' ? 1 : 0),
      'trt.log.lines.dropped': () =>
        Object.entries(logger.dropped()).map(([destination, value]) => ({
          value,
          attributes: { destination },
        })),
      'nodejs.eventloop.utilization': eventLoopUtilization,
      'process.memory.usage': () => process.memoryUsage.rss(),
    },
    service.version,
  );
}

function toObservation({ name, domain, reasonCode, count }: EventCount): Observation {
  return {
    value: count,
    attributes: { name, domain, ...(reasonCode === undefined ? {} : { reason_code: reasonCode }) },
  };
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1_000;
}
