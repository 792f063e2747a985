// What works stored updates, put together: the handlers with what they may use, the frame and the bot around them, and
// the lanes that bring the updates and do what each has left to be done.
import type { UserFromGetMe } from 'grammy/types';
import { createBot } from '../bot/bot.ts';
import type { Handlers } from '../bot/context.ts';
import { createFollowUpWork } from '../bot/follow-up-work.ts';
import { createFrame } from '../bot/frame.ts';
import { createOwedScreens } from '../bot/owed-screens.ts';
import { createPersonalData } from '../bot/personal-data.ts';
import type { Config } from '../config/config.ts';
import { createFollowUps } from '../inbox/follow-ups.ts';
import { createLanes, type Lanes } from '../inbox/lanes.ts';
import type { InstanceStateHolder } from '../lock/instance-state.ts';
import type { Role } from '../lock/role.ts';
import type { DebugLevel } from '../otel/debug-level.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { createBoundedReads } from '../storage/bounded-reads.ts';
import { createFollowUpStore } from '../storage/follow-up-store.ts';
import { createJournalReader } from '../storage/journal-store.ts';
import type { MessageStore } from '../storage/message-store.ts';
import { createOwedStore } from '../storage/owed-store.ts';
import type { PersonalDataStore } from '../storage/personal-data.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { pseudonymsOf } from '../telegram/incoming.ts';
import type { SourceWatch } from '../telegram/source-watch.ts';
import type { Texts } from '../ui/texts.ts';
import { createAdministration } from './administration.ts';
import type { Databases } from './databases.ts';
import type { Generations } from './generations.ts';
import type { Journaling } from './journaling.ts';
import type { Receiving } from './receiving.ts';

export interface DispatchOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly databases: Pick<Databases, 'database' | 'archive'>;
  readonly role: Role;
  readonly state: InstanceStateHolder;
  readonly telegram: TelegramApi;
  /** The bot, as Telegram knows it. */
  readonly me: UserFromGetMe;
  readonly handlers: Handlers;
  readonly generations: Generations;
  readonly receiving: Pick<Receiving, 'updates' | 'inbox' | 'reception'>;
  readonly people: PersonalDataStore;
  readonly journaling: Journaling | undefined;
  readonly watch: Pick<SourceWatch, 'status'>;
  readonly debugLevel: DebugLevel;
  readonly messages: MessageStore;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly telemetry: Telemetry;
}

/** Administrators and users wait for what is read from the journal. */
const journalReadMs = 3_000;

export function createDispatch(options: DispatchOptions): Lanes {
  const { config, instanceId, role, state, telegram, generations, receiving } = options;
  const { messages, texts, pseudonyms, telemetry, journaling } = options;
  const { database, archive } = options.databases;
  const { lease } = role;
  const journal = createJournalReader(createBoundedReads(archive, journalReadMs));
  const personalData = createPersonalData({
    store: options.people,
    journal,
    journalDays: config.journal?.retentionDays ?? 0,
    flushJournal: async () => journaling?.flush(),
    telegram,
    texts,
    pseudonyms,
    telemetry,
  });
  const { adminTools, reports } = createAdministration({
    config,
    database,
    journal,
    role,
    updates: receiving.updates,
    botState: state.botState,
    source: options.watch.status,
    debugLevel: options.debugLevel,
    telegram,
    messages,
    texts,
    pseudonyms,
    telemetry,
  });
  const { catalogue, prices, account, pipeline, linkRules } = generations;
  const frame = createFrame({
    handlers: options.handlers,
    services: { catalogue, account, pipeline, linkRules, reports, personalData },
    prices,
    adminTools,
    texts,
    telemetry,
  });
  const bot = createBot({
    api: telegram.api,
    me: options.me,
    frame,
    catalogue,
    texts,
    telemetry,
    pseudonyms,
    silenceGuard: config.silenceGuard,
    deadlineMs: config.updateDeadlineMs,
    adminIds: config.adminIds,
    // Of the ecosystem of grammY: what is written for bot.use(…) stands here.
    plugins: [],
  });
  const owedScreens = createOwedScreens({
    store: createOwedStore({ database, lease }),
    api: telegram.api,
    messages,
    telemetry,
  });
  return createLanes({
    store: receiving.updates,
    inbox: receiving.inbox,
    handler: bot,
    followUps: createFollowUps({
      store: createFollowUpStore({ database, instanceId, lease }),
      work: createFollowUpWork({
        account,
        pipeline,
        personalData,
        owedScreens,
        deadlineMs: config.updateDeadlineMs,
      }),
      telemetry,
      fieldsOf: chatId => pseudonymsOf({ userId: chatId, chatId }, pseudonyms),
    }),
    telemetry,
    instanceId,
    lease,
    onPick: receiving.reception.picked,
    isActive: state.isActive,
    isShared: config.instance.mode === 'cluster',
  });
}
