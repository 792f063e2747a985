// What the handlers of administrators work with: the diagnostics of administrators, the level of detail, the state of the service,
// and users by name.
import type { AdminDiagnostics, ServiceStatus } from '../diagnosis/admin-diagnostics.ts';
import type { DebugLevel } from '../otel/debug-level.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { UserStore } from '../storage/user-store.ts';
import type { AdminTools } from './context.ts';

export interface AdminToolsOptions {
  readonly diagnostics: AdminDiagnostics;
  readonly debugLevel: DebugLevel;
  readonly status: () => Promise<ServiceStatus>;
  readonly users: UserStore;
  readonly pseudonyms: Pseudonyms;
}

export function createAdminTools(options: AdminToolsOptions): (userId: number) => AdminTools {
  const { diagnostics, debugLevel, status, users, pseudonyms } = options;

  async function findUser(who: string): Promise<string | undefined> {
    const id = /^\d+$/.test(who) ? Number(who) : await users.chatIdOf(who.replace(/^@/, ''));
    return id === undefined ? undefined : pseudonyms.user(id);
  }

  return userId => ({ userHash: pseudonyms.user(userId), diagnostics, debugLevel, status, findUser });
}
