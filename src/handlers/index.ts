// Every handler of the bot. Leaving one out, or adding one that the registry does not know, is a compile
// error; the fallback is last.
import type { Handlers } from '../bot/context.ts';
import { category, model } from './browse.ts';
import { again, create } from './create.ts';
import { fallback } from './fallback.ts';
import { choose, previous, text } from './fill.ts';
import { generate } from './generate.ts';
import { back, help, helpCommand } from './help.ts';
import { cancel, cancelCommand, menu, start } from './start.ts';

export const handlers: Handlers = {
  buttons: { category, model, create, choose, previous, generate, again, back, cancel, menu, help },
  commands: { start, help: helpCommand, cancel: cancelCommand },
  text,
  fallback,
};
