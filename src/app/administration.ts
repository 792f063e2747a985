// What administrators work with, put together: the diagnostics, which read the journal and know how the service is; the
// tools behind their panel; and the way of users' reports to them.
import { createAdminTools } from '../bot/admin-tools.ts';
import type { AdminTools, Reports } from '../bot/context.ts';
import { createReports } from '../bot/reports.ts';
import { createServiceSurroundings } from '../bot/service-surroundings.ts';
import type { Config } from '../config/config.ts';
import { createAdminDiagnostics } from '../diagnosis/admin-diagnostics.ts';
import type { Role } from '../lock/role.ts';
import type { DebugLevel } from '../otel/debug-level.ts';
import type { BotState } from '../otel/fields.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import { createUserStore } from '../storage/user-store.ts';
import type { TelegramApi } from '../telegram/api.ts';
import type { SourceWatch } from '../telegram/source-watch.ts';
import type { Texts } from '../ui/texts.ts';

export interface Administration {
  /** For the administrator with this id. */
  readonly adminTools: (userId: number) => AdminTools;
  readonly reports: Reports;
}

export interface AdministrationOptions {
  readonly config: Config;
  readonly database: Database;
  readonly journal: JournalReader;
  readonly role: Role;
  readonly updates: Pick<UpdateStore, 'depth'>;
  readonly botState: () => BotState;
  readonly source: SourceWatch['status'];
  readonly debugLevel: DebugLevel;
  readonly telegram: TelegramApi;
  readonly messages: MessageStore;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly telemetry: Telemetry;
}

export function createAdministration(options: AdministrationOptions): Administration {
  const { config, database, role, updates, telegram, pseudonyms } = options;
  const { botId } = config.telegram;
  const diagnostics = createAdminDiagnostics({
    journal: options.journal,
    surroundings: createServiceSurroundings({ database, role, telegram, botId }),
    telemetry: options.telemetry,
  });
  const adminTools = createAdminTools({
    diagnostics,
    debugLevel: options.debugLevel,
    async status() {
      const { epoch, holder } = await role.snapshot();
      return {
        mode: `${config.instance.mode}, ${config.bot.mode}`,
        state: options.botState(),
        epoch,
        heartbeatAgeMs: holder?.heartbeatAgeMs,
        queueDepth: await updates.depth(),
        source: options.source()?.state,
      };
    },
    users: createUserStore(database),
    pseudonyms,
  });
  return { adminTools, reports: createReports({ ...options, adminIds: config.adminIds, diagnostics }) };
}
