// Every handler of the bot. Leaving one out, or adding one that the registry does not know, is a compile
// error; the fallback is last.
import type { Handlers } from '../bot/context.ts';
import { balance, balanceCommand } from './balance.ts';
import { best, category, free, model, page, search } from './browse.ts';
import { again, create, retry } from './create.ts';
import { debug, debugCid, debugClose, debugOff, debugOn, debugShow, forwarded } from './debug.ts';
import { fallback } from './fallback.ts';
import { choose, clear, done, edit, file, options, previous, proceed, text } from './fill.ts';
import { generate } from './generate.ts';
import { back, help, helpCommand } from './help.ts';
import { consent, erase, eraseAsk, exportData, privacy, privacyCommand } from './privacy.ts';
import { report, reportCommand } from './report.ts';
import { original, redeliver } from './result.ts';
import { cancel, cancelCommand, menu, start } from './start.ts';

export const handlers: Handlers = {
  buttons: {
    category,
    page,
    best,
    free,
    search,
    balance,
    model,
    create,
    choose,
    done,
    clear,
    edit,
    options,
    proceed,
    generate,
    again,
    retry,
    original,
    redeliver,
    back,
    previous,
    cancel,
    menu,
    help,
    report,
    privacy,
    consent,
    exportData,
    eraseAsk,
    erase,
    debugShow,
    debugCid,
    debugOn,
    debugOff,
    debugClose,
  },
  commands: {
    start,
    balance: balanceCommand,
    help: helpCommand,
    cancel: cancelCommand,
    report: reportCommand,
    privacy: privacyCommand,
    debug,
  },
  text,
  file,
  forwarded,
  fallback,
};
