// "Report a problem": the administrators get what this user did lately, with the verdicts.
import type { CommandHandler, Handler, HandlerContext } from '../bot/context.ts';
import { noop, type Outcome, rejected } from '../ui/outcome.ts';

export const report: Handler<'report'> = async context => sendReport(context);

export const reportCommand: CommandHandler<'report'> = async context => sendReport(context);

async function sendReport({ reports, user }: HandlerContext): Promise<Outcome<never>> {
  switch (await reports.report(user)) {
    case 'reported':
      return noop({ key: 'hint-reported' });
    case 'too_often':
      return rejected('RATE_LIMIT', { detail: 'reported before', hint: { key: 'hint-reported-before' } });
    case 'nobody':
      return noop({ key: 'hint-nobody-to-tell' });
  }
}
