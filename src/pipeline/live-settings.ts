// The settings that administrators lay over the catalogue, as a running bot knows them. They are read at the start, at
// intervals, because other instances and the command line change them, and at once after this instance has changed one.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { ModelSettings } from '../storage/model-settings.ts';

export interface LiveSettings {
  /** Reads them for the first time and goes on until `stop`. Rejects when they cannot be read. */
  start(): Promise<void>;
  /** Takes a model out of the offer, for all instances. */
  switchOff(modelId: string, reason: string): Promise<void>;
  stop(): void;
}

export interface LiveSettingsOptions {
  readonly catalogue: Catalogue;
  readonly store: ModelSettings;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn'>;
  readonly instanceId: string;
}

const refreshMs = 30_000;

export function createLiveSettings(options: LiveSettingsOptions): LiveSettings {
  const { catalogue, store, telemetry, instanceId } = options;
  let timer: NodeJS.Timeout | undefined;

  const refresh = async (): Promise<void> => catalogue.applySettings(await store.all());

  return {
    async start() {
      await refresh();
      timer = setInterval(() => {
        refresh().catch((error: unknown) => telemetry.warn('read the settings of models', error, 'DB_ERROR'));
      }, refreshMs).unref();
    },
    async switchOff(modelId, reason) {
      await store.disable(modelId, reason, instanceId);
      telemetry.emit('MODEL_SWITCHED_OFF', {
        model_id: modelId,
        reason_code: 'MODEL_DISABLED',
        reason_detail: reason,
      });
      await refresh();
    },
    stop() {
      clearInterval(timer);
    },
  };
}
