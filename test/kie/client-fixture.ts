// A client before two scripted hosts, for one test file: fresh for each test, and stopped after it.
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach } from 'vitest';
import { createKieClient, type KieClient, type KieClientOptions } from '../../src/kie/client.ts';
import { Secret } from '../../src/secret.ts';
import { spanExporter } from '../support/record-spans.ts';
import { type RecordedTelemetry, recordTelemetry } from '../support/telemetry.ts';
import { type ScriptedHost, startScriptedHost } from './scripted-host.ts';

export interface ClientFixture {
  readonly recorded: RecordedTelemetry;
  /** Those that have ended. */
  spans(): readonly ReadableSpan[];
  readonly api: ScriptedHost;
  readonly files: ScriptedHost;
  readonly client: KieClient;
  /** Another client, by default before the same hosts. */
  clientOf(changes?: Partial<KieClientOptions>): KieClient;
}

export const apiKey = 'key-of-the-test';

/** Fields are of the running test. */
export function useClient(): ClientFixture {
  const releases: (() => Promise<void>)[] = [];
  let current: Pick<ClientFixture, 'recorded' | 'api' | 'files' | 'client'> | undefined;
  const running = (): NonNullable<typeof current> => {
    if (!current) throw new Error('No test is running');
    return current;
  };

  function clientOf(
    hosts: Pick<KieClientOptions, 'apiUrl' | 'uploadUrl' | 'telemetry'>,
    changes: Partial<KieClientOptions>,
  ): KieClient {
    const client = createKieClient({
      ...hosts,
      apiKey: new Secret(apiKey),
      timeoutMs: 5_000,
      uploadTimeoutMs: 5_000,
      ...changes,
    });
    releases.push(() => client.close());
    return client;
  }

  beforeEach(async () => {
    const api = await startScriptedHost();
    const files = await startScriptedHost();
    const recorded = recordTelemetry({ level: 'DEBUG' });
    const { telemetry } = recorded;
    const client = clientOf({ apiUrl: api.url, uploadUrl: files.url, telemetry }, {});
    current = { recorded, api, files, client };
    spanExporter.reset();
  });

  afterEach(async () => {
    const { api, files } = running();
    // Hosts first: one that still holds a call must not keep a client open.
    await api.stop();
    await files.stop();
    for (const release of releases.splice(0)) await release();
  });

  return {
    get recorded() {
      return running().recorded;
    },
    spans: () => spanExporter.getFinishedSpans(),
    get api() {
      return running().api;
    },
    get files() {
      return running().files;
    },
    get client() {
      return running().client;
    },
    clientOf(changes = {}) {
      const { recorded, api, files } = running();
      return clientOf({ apiUrl: api.url, uploadUrl: files.url, telemetry: recorded.telemetry }, changes);
    },
  };
}
