// Help, and the way back from it and from the other screens that hold no form. From a notice the way back leads to
// where the user was.
import type { CommandHandler, Handler } from '../bot/context.ts';
import { pageOf } from '../ui/menu-screens.ts';
import { show } from '../ui/outcome.ts';
import { formScreen } from './form-screen.ts';

export const help: Handler<'help'> = async () => show('HELP', {});

export const helpCommand: CommandHandler<'help'> = async () => show('HELP', {});

export const back: Handler<'back'> = async context => {
  const { screen, form, catalogue } = context;
  if (form && screen && ['HELP', 'UPDATING', 'BALANCE', 'PRIVACY'].includes(screen.id))
    return formScreen(context, form);
  const model = screen?.id === 'MODEL_PICK' ? catalogue.byKey(screen.record.model ?? '') : undefined;
  if (!model || !catalogue.categories.includes(model.category)) return show('MAIN_MENU', {});
  return show('CATEGORY_PICK', { category: model.category, page: pageOf(model, context) });
};
