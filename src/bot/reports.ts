// Brings a user's complaint to the administrators: what that user did lately, why it went wrong, one tap to the chain.
// Each user at most once in ten minutes.
import { isTrouble } from '../diagnosis/action.ts';
import type { AdminDiagnostics } from '../diagnosis/admin-diagnostics.ts';
import { defaultLocale } from '../locales.ts';
import { type Pseudonyms, shortPseudonym } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { type Presented, present } from '../telegram/presenter.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import { renderDebugUser } from '../ui/debug-screens.ts';
import type { Texts } from '../ui/texts.ts';
import type { Reports } from './context.ts';

export interface ReportsOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly adminIds: readonly number[];
  readonly diagnostics: AdminDiagnostics;
  readonly messages: Pick<MessageStore, 'record'>;
  readonly texts: Texts;
  readonly pseudonyms: Pseudonyms;
  readonly telemetry: Pick<Telemetry, 'emit'>;
}

const intervalMs = 10 * 60_000;
const rememberedUsers = 10_000;
/** Verdicts in one message. */
const judgedActions = 3;
/** Administrators are few and of one team. */
const locale = defaultLocale;

export function createReports(options: ReportsOptions): Reports {
  const { telegram, adminIds, diagnostics, messages, texts, pseudonyms, telemetry } = options;
  const reported = createThrottle({ intervalMs, capacity: rememberedUsers });

  async function complaintOf(chatId: number): Promise<Parameters<typeof renderDebugUser>[0]> {
    const userHash = pseudonyms.user(chatId);
    const { actions, unread } = await diagnostics.actionsOf(userHash, locale);
    const trouble = actions.filter(isTrouble).slice(0, judgedActions);
    // Where nothing went wrong as far as we know, the user means what came last.
    const puzzling = trouble.length > 0 ? trouble : actions.slice(0, 1);
    const judged = await Promise.all(puzzling.map(({ cid }) => diagnostics.look(cid, locale)));
    const verdicts = judged.flatMap(({ judged: [newest], nothing }) => newest?.verdict ?? nothing ?? []);
    // The screen says by itself that the journal is not to be read.
    const complaint = verdicts.length > 0 || unread ? verdicts : [await diagnostics.nothing(locale)];
    return {
      who: shortPseudonym(userHash),
      actions,
      unread,
      complaint: complaint.map(({ sentence }) => sentence),
    };
  }

  async function notifyAll(chatId: number): Promise<{ reached: number; failure: string | undefined }> {
    const screen = renderDebugUser(await complaintOf(chatId), { locale, t: texts.for(locale) });
    let reached = 0;
    let failure: string | undefined;
    for (const adminId of adminIds) {
      let sent: Presented | undefined;
      const refusal = await refusedBy(
        present(telegram.api, adminId, screen, undefined).then(presented => {
          sent = presented;
        }),
      );
      failure = refusal?.detail ?? failure;
      if (!sent) continue;
      reached += 1;
      // Without its record the buttons would count as expired.
      const { messageId } = sent;
      await messages.record({ chatId: adminId, messageId, screen: 'DEBUG_USER', record: {}, media: false });
    }
    return { reached, failure };
  }

  return {
    async report({ chatId }) {
      if (adminIds.length === 0) return 'nobody';
      if (!reported.admits(chatId)) return 'too_often';
      let notified = { reached: 0, failure: undefined as string | undefined };
      try {
        notified = await notifyAll(chatId);
      } finally {
        // A report that nobody got must not keep the next one away.
        if (notified.reached === 0) reported.forget(chatId);
      }
      const { reached, failure } = notified;
      telemetry.emit('PROBLEM_REPORTED', {
        result: reached > 0 ? 'accepted' : 'failed',
        reason_detail: failure,
      });
      return reached > 0 ? 'reported' : 'nobody';
    },
  };
}
