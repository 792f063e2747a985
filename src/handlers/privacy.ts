// /privacy: what is stored about the user, consent for texts in telemetry, a copy of everything, and its erasure, which
// is asked for twice. Copy and erasure begin once the tap has its outcome: erasing must find nothing that is still to
// be written.
import type { CommandHandler, Handler, HandlerContext } from '../bot/context.ts';
import { noop, rejected, type Show, show } from '../ui/outcome.ts';

export const privacy: Handler<'privacy'> = async context =>
  privacyScreen(context, context.user.promptConsent);

export const privacyCommand: CommandHandler<'privacy'> = async context =>
  privacyScreen(context, context.user.promptConsent);

export const consent: Handler<'consent'> = async (context, [choice]) => {
  const allowed = choice === 'on';
  await context.personalData.allowTexts(context.user, allowed);
  return privacyScreen(context, allowed);
};

export const exportData: Handler<'exportData'> = async ({ personalData, user }) =>
  personalData.admitsExport(user)
    ? noop({ key: 'hint-exporting' }, { followUps: [{ kind: 'export', locale: user.locale }] })
    : rejected('RATE_LIMIT', { detail: 'exported before', hint: { key: 'hint-exported-before' } });

export const eraseAsk: Handler<'eraseAsk'> = async ({ account, user }) => {
  const { available } = await account.balance(user.chatId);
  return show('PRIVACY_ERASE', { available });
};

export const erase: Handler<'erase'> = async ({ personalData, user }) =>
  (await personalData.isBusy(user))
    ? rejected('VALIDATION_FAILED', {
        detail: 'something still runs',
        because: { detail_code: 'user_busy' },
        hint: { key: 'hint-erase-busy' },
      })
    : noop({ key: 'hint-erasing' }, { followUps: [{ kind: 'erase', locale: user.locale }] });

function privacyScreen({ personalData }: HandlerContext, consented: boolean): Show<'PRIVACY'> {
  return show('PRIVACY', { consent: consented, journalDays: personalData.journalDays });
}
