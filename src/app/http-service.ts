// The HTTP server put together: its routes, its port, and from when on it takes more than the question whether the
// process lives.
import type { Config } from '../config/config.ts';
import type { Health } from '../health/instance-health.ts';
import { registerHealthRoutes } from '../http/health.ts';
import { registerKieCallbackRoute } from '../http/kie-callback.ts';
import { listen } from '../http/listen.ts';
import { createServer } from '../http/server.ts';
import { registerWebhookRoute } from '../http/webhook.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { InstanceStateHolder } from '../lock/instance-state.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { Refusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { SourceWatch } from '../telegram/source-watch.ts';
import type { Generations } from './generations.ts';
import type { Receiving } from './receiving.ts';

export interface HttpService {
  /** Resolves to the port. Whoever watches this process sees from then on that it lives. Rejects as http/listen.ts. */
  listen(): Promise<number>;
  /** Everything may be sent here from now on. `schemaVersion`: the number of the newest migration. */
  open(schemaVersion: number): void;
}

export interface HttpServiceOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly state: InstanceStateHolder;
  readonly lease: CurrentLease;
  readonly health: Health;
  readonly receiving: Pick<Receiving, 'intake' | 'depth' | 'totals'>;
  readonly generations: Pick<Generations, 'tasks' | 'callbacks' | 'kie'>;
  readonly watch: Pick<SourceWatch, 'status'>;
  readonly refusals: Refusals;
  readonly telemetry: Telemetry;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
}

export function createHttpService(options: HttpServiceOptions): HttpService {
  const { config, state, receiving, generations, refusals, telemetry } = options;
  let openedWith: { readonly schemaVersion: number } | undefined;
  const server = createServer({ refusals, telemetry, isStarted: () => openedWith !== undefined });
  registerHealthRoutes(server, {
    health: options.health,
    lease: options.lease,
    totals: receiving.totals,
    instanceId: options.instanceId,
    instanceMode: config.instance.mode,
    botMode: config.bot.mode,
    release: config.instance.release,
    // No route that shows it is answered before.
    schemaVersion: () => openedWith?.schemaVersion ?? 0,
    queueMax: config.inboxMax,
    botState: state.botState,
    isAbandoned: state.isAbandoned,
    supplierState: () => generations.kie.breakerState(),
    source: options.watch.status,
  });
  registerKieCallbackRoute(server, {
    tasks: generations.tasks,
    callbacks: generations.callbacks,
    hmacKey: config.kie.webhookHmacKey,
    refusals,
    telemetry,
  });
  if (config.bot.mode === 'webhook')
    registerWebhookRoute(server, {
      bot: config.bot,
      intake: receiving.intake,
      depth: receiving.depth,
      refusals,
    });
  options.lifecycle.onStop('HTTP server', () => server.close());
  return {
    listen: async () => (await listen(server, config)).port,
    open(schemaVersion) {
      openedWith = { schemaVersion };
    },
  };
}
