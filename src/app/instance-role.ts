// Which instance works, put together: the role of this one, and how it leaves.
import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { createRole, type Role } from '../lock/role.ts';
import type { Database } from '../storage/database.ts';
import { shareWork } from '../storage/job-queue.ts';
import type { Observability } from './observability.ts';

export interface InstanceRoleOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly database: Database;
  readonly observability: Pick<Observability, 'ofDatabase' | 'ofLockDatabase'>;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
}

export function createInstanceRole(options: InstanceRoleOptions): Role {
  const { config, instanceId, database, observability, lifecycle } = options;
  const role = createRole({
    mode: config.instance.mode,
    url: config.lockDatabaseUrl,
    database,
    botId: config.telegram.botId,
    instanceId,
    release: config.instance.release,
    timings: config.instance.lock,
    telemetry: observability.ofDatabase,
    lockTelemetry: observability.ofLockDatabase,
  });
  lifecycle.onStop('membership', async () => {
    await role.leave();
    if (config.instance.mode === 'cluster') await shareWork(database);
  });
  return role;
}
