// A client before two scripted hosts, for one test file: fresh for each test, and stopped after it.
import { afterEach, beforeEach } from 'vitest';
import { createKieClient, type KieClient, type KieClientOptions } from '../../src/kie/client.ts';
import { Secret } from '../../src/secret.ts';
import { type RecordedTelemetry, recordTelemetry } from './recorded-telemetry.ts';
import { type ScriptedHost, startScriptedHost } from './scripted-host.ts';

export interface ClientFixture {
  readonly recorded: RecordedTelemetry;
  readonly api: ScriptedHost;
  readonly files: ScriptedHost;
  readonly client: KieClient;
  /** Another client, by default before the same hosts. */
  clientOf(changes?: Partial<KieClientOptions>): KieClient;
}

export const apiKey = 'key-of-the-test';

/** Fields are of the running test. */
export function useClient(): ClientFixture {
  const recorded = recordTelemetry();
  const releases: (() => Promise<void>)[] = [];
  let current: Pick<ClientFixture, 'api' | 'files' | 'client'> | undefined;
  const running = (): Pick<ClientFixture, 'api' | 'files' | 'client'> => {
    if (!current) throw new Error('No test is running');
    return current;
  };

  function clientOf(
    hosts: Pick<KieClientOptions, 'apiUrl' | 'uploadUrl'>,
    changes: Partial<KieClientOptions>,
  ): KieClient {
    const client = createKieClient({
      ...hosts,
      apiKey: new Secret(apiKey),
      telemetry: recorded.telemetry,
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
    current = { api, files, client: clientOf({ apiUrl: api.url, uploadUrl: files.url }, {}) };
    recorded.reset();
  });

  afterEach(async () => {
    const { api, files } = running();
    // Hosts first: one that still holds a call must not keep a client open.
    await api.stop();
    await files.stop();
    for (const release of releases.splice(0)) await release();
  });

  return {
    recorded,
    get api() {
      return running().api;
    },
    get files() {
      return running().files;
    },
    get client() {
      return running().client;
    },
    clientOf: (changes = {}) =>
      clientOf({ apiUrl: running().api.url, uploadUrl: running().files.url }, changes),
  };
}
