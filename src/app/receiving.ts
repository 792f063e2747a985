// What takes updates in, put together: the store, the inbox in front of it, what is done for users the moment an update
// arrives, and how much is taken.
import { SpanKind } from '@opentelemetry/api';
import type { Config } from '../config/config.ts';
import { createInbox, type Inbox } from '../inbox/inbox.ts';
import { createInboxDepth, type InboxDepth } from '../inbox/inbox-depth.ts';
import { createInboxTotals, type InboxTotals } from '../inbox/inbox-totals.ts';
import { createIntakeProof, type IntakeProof } from '../inbox/intake-proof.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { InstanceState } from '../lock/instance-state.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import { createIntake, type Intake } from '../reception/intake.ts';
import { createReception, type Reception } from '../reception/reception.ts';
import type { Database } from '../storage/database.ts';
import type { MessageStore } from '../storage/message-store.ts';
import { createUpdateStore, type UpdateStore } from '../storage/update-store.ts';
import { createWaitingUpdates } from '../storage/waiting-updates.ts';
import type { TelegramApi } from '../telegram/api.ts';
import type { Texts } from '../ui/texts.ts';
import type { Observability } from './observability.ts';

export interface Receiving {
  readonly updates: UpdateStore;
  readonly inbox: Inbox;
  readonly intake: Intake;
  readonly intakeProof: IntakeProof;
  readonly depth: InboxDepth;
  readonly reception: Reception;
  readonly totals: InboxTotals;
}

export interface ReceivingOptions {
  readonly config: Config;
  readonly database: Database;
  readonly lease: CurrentLease;
  readonly state: InstanceState;
  readonly instanceId: string;
  readonly telegram: TelegramApi;
  readonly messages: MessageStore;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly observability: Pick<Observability, 'telemetry' | 'ofDatabase'>;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
}

export function createReceiving(options: ReceivingOptions): Receiving {
  const { config, database, pseudonyms } = options;
  const { telemetry, ofDatabase } = options.observability;
  const { botId } = config.telegram;
  const totals = createInboxTotals();
  const updates = totals.countUpdates(
    createUpdateStore({
      database,
      botId,
      instanceId: options.instanceId,
      laneMax: config.inboxChatMax,
      lease: options.lease,
    }),
  );
  const intakeProof = createIntakeProof();
  const inbox = createInbox(intakeProof.watch(updates));
  const reception = createReception({
    state: options.state,
    mode: config.instance.passiveMode,
    api: options.telegram.api,
    waitingUpdates: createWaitingUpdates(database, botId),
    messages: options.messages,
    texts: options.texts,
    telemetry,
    pseudonyms,
    chatMax: config.inboxChatMax,
  });
  options.lifecycle.onStop('reception', () => reception.stop());
  const depth = totals.countAdmissions(
    createInboxDepth({ count: () => updates.depth(), max: config.inboxMax, telemetry: ofDatabase }),
  );
  const intake = createIntake({
    inbox,
    reception,
    depth,
    store: updates,
    telemetry,
    pseudonyms,
    spanKind: config.bot.mode === 'webhook' ? SpanKind.SERVER : SpanKind.CONSUMER,
  });
  return { updates, inbox, intake, intakeProof, depth, reception, totals };
}
