// What a person may ask of the bot about their own data: allow texts in telemetry, have all of it, have it erased. The
// last two follow an update that has ended already: they notify the user themselves of how it went, and are tried again where
// the database or Telegram is what failed.
import { InputFile } from 'grammy';
import type { FollowUp, FollowUpKind } from '../inbox/follow-up.ts';
import type { FollowUpCircumstances, FollowUpEnd } from '../inbox/follow-ups.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import type { PersonalDataStore } from '../storage/personal-data.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { canBeWrittenTo, refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import type { Texts } from '../ui/texts.ts';
import type { HandlerUser, PersonalData } from './context.ts';
import { createFaultNotices } from './fault-notices.ts';

export interface PersonalDataOptions {
  readonly store: PersonalDataStore;
  readonly journal: Pick<JournalReader, 'byUser'>;
  /** For how many days the journal is kept; 0 where there is none. */
  readonly journalDays: number;
  /** Resolves when the journal of this instance has what was emitted so far, as far as that is possible. */
  readonly flushJournal: () => Promise<void>;
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn' | 'scrub' | 'cid'>;
}

/** What is said of a user's data, and done with it once the tap that asked for it has ended. */
export interface PersonalDataOffice extends PersonalData {
  /** Sends one document with everything, or says why not. */
  sendAll(asked: Asked<'export'>, circumstances: FollowUpCircumstances): Promise<FollowUpEnd>;
  /** Erases the user and says so, or why not. */
  erase(asked: Asked<'erase'>, circumstances: FollowUpCircumstances): Promise<FollowUpEnd>;
}

type Asked<K extends FollowUpKind> = Extract<FollowUp, { kind: K }>;

const exportIntervalMs = 60_000;
const rememberedUsers = 10_000;
/** How often a defect, which is anything but an absent database, is tried before the user is notified. */
const defectAttempts = 3;
/** Of tasks, of moves of money, and of rows of the journal: the newest. */
const maxEntries = 1_000;

export function createPersonalData(options: PersonalDataOptions): PersonalDataOffice {
  const { store, journal, telegram, texts, pseudonyms, telemetry } = options;
  const faults = createFaultNotices({ texts, telemetry });
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

  /** In these words, with the cid and the button that reports it. */
  async function notifyOfFailure(
    user: Pick<HandlerUser, 'chatId' | 'locale'>,
    failure: string,
  ): Promise<void> {
    await faults.send(telegram.api, user, `${failure} (${telemetry.cid()})`);
  }

  /** An absent database is left to another attempt; of a defect operator and user are notified. */
  async function endFailed(
    error: unknown,
    user: Pick<HandlerUser, 'chatId' | 'locale'>,
    failure: string,
    isLast: boolean,
  ): Promise<FollowUpEnd> {
    if (!isLast) throw error;
    telemetry.warn('personal data', error);
    await notifyOfFailure(user, failure);
    return 'done';
  }

  return {
    journalDays: options.journalDays,
    allowTexts: ({ chatId }, allowed) => store.saveConsent(chatId, allowed),
    isBusy: ({ chatId }) => store.isBusy(chatId),
    admitsExport: ({ chatId }) => exported.admits(chatId),
    async sendAll(asked, { chatId, isLast }) {
      const user = { chatId, locale: asked.locale };
      const t = texts.for(asked.locale);
      const startedAt = performance.now();
      let document: InputFile;
      try {
        document = await documentOf(chatId);
      } catch (error) {
        return endFailed(error, user, t('export-failed'), isLast || !isConnectionLost(error));
      }
      const refusal = await refusedBy(
        telegram.api.sendDocument(chatId, document, {
          caption: t('export-document'),
          disable_content_type_detection: true,
        }),
      );
      telemetry.emit('USER_EXPORTED', {
        result: refusal ? 'failed' : 'accepted',
        reason_detail: refusal?.detail,
        duration_ms: Math.round(performance.now() - startedAt),
      });
      if (refusal?.retry && !isLast) return { again: asked, delayMs: refusal.retryAfterMs };
      if (refusal && canBeWrittenTo(refusal)) await notifyOfFailure(user, t('export-failed'));
      return 'done';
    },
    async erase(asked, { chatId, id, attempt, isLast }) {
      const user = { chatId, locale: asked.locale };
      const t = texts.for(asked.locale);
      const startedAt = performance.now();
      let { ended } = asked;
      if (ended === undefined) {
        try {
          // What is still to be written would be written after the erasure.
          await options.flushJournal();
          ended = await store.erase(chatId, pseudonyms.user(chatId), id);
        } catch (error) {
          const isDefect = !isConnectionLost(error) && attempt >= defectAttempts;
          return endFailed(error, user, t('erase-failed'), isLast || isDefect);
        }
        telemetry.emit('USER_ERASED', {
          result: ended === 'busy' ? 'rejected' : 'accepted',
          reason_detail: ended === 'erased' ? undefined : ended,
          duration_ms: Math.round(performance.now() - startedAt),
        });
      }
      // Before it is confirmed, also where another attempt has erased: what others did beside it.
      if (ended === 'erased') {
        try {
          await options.flushJournal();
          await store.sweep(chatId, pseudonyms.user(chatId));
        } catch (error) {
          // It is confirmed all the same; what is left goes within the hour.
          if (!isLast) throw error;
          telemetry.warn('personal data', error);
        }
      }
      const isBusy = ended === 'busy';
      // Nobody by that number: an erasure that was asked for twice.
      const refusal = await refusedBy(
        telegram.api.sendMessage(chatId, t(isBusy ? 'hint-erase-busy' : 'erase-done')),
      );
      return refusal?.retry && !isLast
        ? { again: { ...asked, ended }, delayMs: refusal.retryAfterMs }
        : 'done';
    },
  };
}
