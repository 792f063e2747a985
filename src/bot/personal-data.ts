// What a person may ask of the bot about their own data: allow texts in telemetry, have all of it, have it erased. The
// last two follow an update that has ended already: they never reject, and tell the user themselves how it went.
import { InputFile } from 'grammy';
import type { Pseudonyms } from '../otel/privacy.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import type { PersonalDataStore } from '../storage/personal-data.ts';
import type { Texts } from '../ui/texts.ts';
import type { TelegramApi } from './api.ts';
import type { HandlerUser, PersonalData } from './context.ts';
import { createFaultTeller } from './fault-teller.ts';
import { canBeWrittenTo, refusedBy } from './refusal.ts';
import { createThrottle } from './throttle.ts';

export interface PersonalDataOptions {
  readonly store: PersonalDataStore;
  readonly journal: Pick<JournalReader, 'byUser'>;
  /** For how many days the journal is kept; 0 where there is none. */
  readonly journalDays: number;
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn' | 'scrub' | 'cid'>;
}

const exportIntervalMs = 60_000;
const rememberedUsers = 10_000;
/** Of tasks, of moves of money, and of rows of the journal: the newest. */
const maxEntries = 1_000;

export function createPersonalData(options: PersonalDataOptions): PersonalData {
  const { store, journal, telegram, texts, pseudonyms, telemetry } = options;
  const faults = createFaultTeller({ texts, telemetry });
  const exported = createThrottle({ intervalMs: exportIntervalMs, capacity: rememberedUsers });

  async function documentOf(chatId: number): Promise<InputFile> {
    const records = await store.collect(chatId, maxEntries);
    const rows = await journal.byUser(pseudonyms.user(chatId), { since: new Date(0), limit: maxEntries });
    const telemetryLines = rows.flatMap(({ lines }) => lines.split('\n').filter(line => line !== ''));
    const { tasks, ledger } = records;
    const content = {
      exported_at: new Date(),
      ...records,
      telemetry: telemetryLines,
      // Which lists hold only the newest entries, because there are more.
      cut: {
        tasks: tasks.length === maxEntries,
        ledger: ledger.length === maxEntries,
        telemetry: rows.length === maxEntries,
      },
    };
    return new InputFile(Buffer.from(JSON.stringify(content, null, 2)), 'my-data.json');
  }

  async function tell({ chatId }: HandlerUser, text: string): Promise<void> {
    await refusedBy(telegram.api.sendMessage(chatId, text));
  }

  /** In these words, with the cid and the button that reports it. */
  async function tellFailure(user: HandlerUser, failure: string): Promise<void> {
    await faults.send(telegram.api, user, `${failure} (${telemetry.cid()})`);
  }

  /** What fails is told to the operator, and to the user. */
  async function guarded(user: HandlerUser, failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      telemetry.warn('personal data', error);
      await tellFailure(user, failure).catch((cause: unknown) => telemetry.warn('personal data', cause));
    }
  }

  return {
    journalDays: options.journalDays,
    allowTexts: ({ chatId }, allowed) => store.saveConsent(chatId, allowed),
    isBusy: ({ chatId }) => store.isBusy(chatId),
    admitsExport: ({ chatId }) => exported.admits(chatId),
    sendAll(user) {
      const t = texts.for(user.locale);
      return guarded(user, t('export-failed'), async () => {
        const startedAt = performance.now();
        const document = await documentOf(user.chatId);
        const refusal = await refusedBy(
          telegram.api.sendDocument(user.chatId, document, {
            caption: t('export-document'),
            disable_content_type_detection: true,
          }),
        );
        telemetry.emit('USER_EXPORTED', {
          result: refusal ? 'failed' : 'accepted',
          reason_detail: refusal?.detail,
          duration_ms: Math.round(performance.now() - startedAt),
        });
        if (refusal && canBeWrittenTo(refusal)) await tellFailure(user, t('export-failed'));
      });
    },
    erase(user) {
      const t = texts.for(user.locale);
      return guarded(user, t('erase-failed'), async () => {
        const startedAt = performance.now();
        const ended = await store.erase(user.chatId, pseudonyms.user(user.chatId));
        // Nobody by that number: an erasure that was asked for twice.
        const isDone = ended !== 'busy';
        telemetry.emit('USER_ERASED', {
          result: isDone ? 'accepted' : 'rejected',
          reason_detail: ended === 'erased' ? undefined : ended,
          duration_ms: Math.round(performance.now() - startedAt),
        });
        await tell(user, t(isDone ? 'erase-done' : 'hint-erase-busy'));
      });
    },
  };
}
