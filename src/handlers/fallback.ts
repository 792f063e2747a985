// What nothing else takes. Never a dead end: an open form is shown again, otherwise the menu.
import type { FallbackHandler } from '../bot/context.ts';
import { show } from '../ui/outcome.ts';
import { formScreen } from './form-screen.ts';

export const fallback: FallbackHandler = async context =>
  context.form ? formScreen(context, context.form) : show('MAIN_MENU', {});
