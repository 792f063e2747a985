// Draws screens: data in, text and buttons out. Knows nothing of Telegram's methods; the frame decides
// whether a drawing is sent or edited in. Each screen has exactly one renderer, or this does not compile.
import { renderBalance } from './account-screens.ts';
import { renderDebug, renderDebugChain, renderDebugUser } from './debug-screens.ts';
import { renderFault } from './fault-screen.ts';
import { renderConfirm, renderOptions, renderQuestion } from './form-screens.ts';
import type { RenderedScreen } from './keyboard.ts';
import {
  renderBest,
  renderCategory,
  renderFree,
  renderHelp,
  renderMainMenu,
  renderModel,
  renderSearch,
  renderUpdating,
} from './menu-screens.ts';
import { renderPrivacy, renderPrivacyErase } from './privacy-screens.ts';
import type { ScreenData, ScreenId } from './screens.ts';
import { renderProcessing, renderResult, renderResultError } from './task-screens.ts';
import type { View } from './view.ts';

type Renderer<S extends ScreenId> = (data: ScreenData[S], view: View) => RenderedScreen;

const renderers: { readonly [S in ScreenId]: Renderer<S> } = {
  MAIN_MENU: renderMainMenu,
  CATEGORY_PICK: renderCategory,
  BEST: renderBest,
  FREE: renderFree,
  SEARCH: renderSearch,
  MODEL_PICK: renderModel,
  PARAMS_FORM: renderQuestion,
  OPTIONS: renderOptions,
  CONFIRM: renderConfirm,
  PROCESSING: renderProcessing,
  RESULT: renderResult,
  RESULT_ERROR: renderResultError,
  BALANCE: renderBalance,
  HELP: renderHelp,
  PRIVACY: renderPrivacy,
  PRIVACY_ERASE: renderPrivacyErase,
  UPDATING: renderUpdating,
  FAULT: renderFault,
  DEBUG: renderDebug,
  DEBUG_CHAIN: renderDebugChain,
  DEBUG_USER: renderDebugUser,
};

export function renderScreen<S extends ScreenId>(screen: S, data: ScreenData[S], view: View): RenderedScreen {
  // SAFETY: the table pairs each screen with a renderer of its own data.
  return (renderers[screen] as Renderer<S>)(data, view);
}
