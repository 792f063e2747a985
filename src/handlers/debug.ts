// /debug for administrators: how the service is, the chain and the verdict of a cid, what one user did.
import type { AdminTools, CommandHandler, ForwardHandler, Handler, HandlerContext } from '../bot/context.ts';
import { shortPseudonym } from '../otel/pseudonyms.ts';
import { type Outcome, rejected, type Show, show } from '../ui/outcome.ts';

const debugMinutes = 30;

type AdminContext = HandlerContext & { readonly admin: AdminTools };

/** Nothing, a cid, a name with @, or the number of a user. */
export const debug: CommandHandler<'debug'> = async (context, argument) => {
  // As it stands in a log line.
  const word = argument.trim().replace(/^cid=/i, '');
  if (word === '') return panel(context);
  if (/^[0-9a-f]{8}$/i.test(word)) return chainOrUser(context, word.toLowerCase());
  return /^@?\w{2,32}$/.test(word) || /^\d{3,15}$/.test(word)
    ? user(context, word)
    : rejected('VALIDATION_FAILED', { detail: 'argument', hint: { key: 'hint-debug-argument' } });
};

/** What stands beside a list of one user's actions gets a message of its own: there may be more to look at. */
export const debugShow: Handler<'debugShow'> = async (context, [cid]) => ({
  ...(await chain(context, cid)),
  apart: context.screen?.id === 'DEBUG_USER',
});

/** Renders the panel anew, with the newest cid. */
export const debugCid: Handler<'debugCid'> = async context => panel(context);

export const debugOn: Handler<'debugOn'> = async context => {
  const { admin } = context;
  await admin.debugLevel.enable({ minutes: debugMinutes, by: shortPseudonym(admin.userHash) });
  return panel(context);
};

export const debugOff: Handler<'debugOff'> = async context => {
  const { admin } = context;
  await admin.debugLevel.disable({ by: shortPseudonym(admin.userHash) });
  return panel(context);
};

export const debugClose: Handler<'debugClose'> = async () => show('MAIN_MENU', {});

/** A message of a user, forwarded by an administrator: what did that user do? */
export const forwarded: ForwardHandler = async (context, senderId) =>
  senderId === undefined
    ? rejected('VALIDATION_FAILED', { detail: 'hidden sender', hint: { key: 'hint-debug-hidden' } })
    : user(context, String(senderId));

async function panel({ admin, user: { locale } }: AdminContext): Promise<Show<'DEBUG'>> {
  const [status, dashboard] = await Promise.all([
    admin.status(),
    admin.diagnostics.dashboard(locale, admin.userHash),
  ]);
  return show('DEBUG', { status, dashboard, debugUntil: admin.debugLevel.state().until });
}

/** Old accounts have numbers of as many digits as a cid. */
async function chainOrUser(
  context: AdminContext,
  word: string,
): Promise<Outcome<'DEBUG_CHAIN' | 'DEBUG_USER'>> {
  const found = await chain(context, word);
  if (found.data.judged.length > 0 || !/^\d+$/.test(word)) return found;
  const asUser = await user(context, word);
  return asUser.kind === 'show' && asUser.data.actions.length > 0 ? asUser : found;
}

async function chain({ admin, user: { locale } }: AdminContext, cid: string): Promise<Show<'DEBUG_CHAIN'>> {
  return show('DEBUG_CHAIN', { cid, ...(await admin.diagnostics.look(cid, locale)) });
}

async function user({ admin, user: { locale } }: AdminContext, who: string): Promise<Outcome<'DEBUG_USER'>> {
  const userHash = await admin.findUser(who);
  if (userHash === undefined)
    return rejected('UNKNOWN_ACTION', { detail: 'nobody by that name', hint: { key: 'hint-debug-nobody' } });
  return show('DEBUG_USER', { who, ...(await admin.diagnostics.actionsOf(userHash, locale)) });
}
