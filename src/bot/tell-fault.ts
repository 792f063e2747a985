// Tells a user that an update ended in a fault, with the cid that leads to its trace. The last thing that is
// tried for an update: what keeps it from being told is itself only told to the operator.
import { errorType } from '../errors.ts';
import { reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { BotContext } from './bot-context.ts';
import { canBeWrittenTo, refusalOf } from './refusal.ts';

/**
 * Answers the tap, or sends a message where there is none, where `answered` says that the tap has its answer, or
 * where Telegram takes none any more.
 * Only in private chats. Throws only what did not come from the Bot API.
 */
export async function tellFault(
  context: BotContext,
  telemetry: Telemetry,
  { answered = false }: { readonly answered?: boolean } = {},
): Promise<void> {
  if (context.chat?.type !== 'private') return;
  const takesAnswer = context.callbackQuery && !answered && !(await wasAnsweredByGuard(context));
  const text = reasonText('INTERNAL_ERROR', context.locale, telemetry.cid());
  try {
    if (takesAnswer) await context.answerCallbackQuery({ text, show_alert: true });
    else await context.reply(text);
  } catch (error) {
    const refusal = refusalOf(error);
    if (takesAnswer && refusal && canBeWrittenTo(refusal)) {
      await tellFault(context, telemetry, { answered: true });
      return;
    }
    telemetry.emit('SYSTEM_WARNING', {
      operation: 'tell the user about a fault',
      error_type: errorType(error),
      error_message: telemetry.scrub(refusal?.detail ?? String(error)),
    });
  }
}

/** From now on the guard keeps quiet; resolves to whether it had spoken before. */
export async function wasAnsweredByGuard(context: BotContext): Promise<boolean> {
  context.isAnswering = true;
  return (await context.guardAnswer) ?? false;
}
