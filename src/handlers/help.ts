// Help, and the way back from it and from the other screens that hold no form. From a notice the way back leads to
// where the user was.
import type { CommandHandler, Handler } from '../bot/context.ts';
import { show } from '../ui/outcome.ts';
import { isCategory } from '../ui/registry.ts';
import { formScreen } from './fill.ts';

export const help: Handler<'help'> = async () => show('HELP', {});

export const helpCommand: CommandHandler<'help'> = async () => show('HELP', {});

export const back: Handler<'back'> = async context => {
  const { screen, form, catalogue } = context;
  if ((screen?.id === 'HELP' || screen?.id === 'UPDATING') && form) return formScreen(context, form);
  const category =
    screen?.id === 'MODEL_PICK' ? catalogue.byKey(screen.record.model ?? '')?.category : undefined;
  return category && isCategory(category) ? show('CATEGORY_PICK', { category }) : show('MAIN_MENU', {});
};
