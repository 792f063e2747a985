// Shows how far a generation is in the message that says that it runs. Where the user has opened something else there,
// or has deleted it, nothing is shown: a new message for each step would be noise. A step that cannot be shown is lost;
// the next one comes soon, and the result does not depend on it.
import { GrammyError } from 'grammy';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ProgressBoard } from '../pipeline/ports.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { cannotBeEdited, edit } from '../telegram/presenter.ts';
import { refusalOf } from '../telegram/refusal.ts';
import { renderProcessing } from '../ui/task-screens.ts';
import type { Texts } from '../ui/texts.ts';

export interface ProgressBoardOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly messages: Pick<MessageStore, 'showsTask'>;
  readonly catalogue: Catalogue;
  readonly texts: Texts;
}

export function createProgressBoard({
  telegram,
  messages,
  catalogue,
  texts,
}: ProgressBoardOptions): ProgressBoard {
  return {
    async show({ id, chatId, messageId, modelKey, locale }, percent) {
      if (messageId === null || !(await messages.showsTask(chatId, messageId, id))) return 'elsewhere';
      const data = { task: id, model: modelKey, progress: percent };
      const screen = renderProcessing(data, { t: texts.for(locale), catalogue });
      try {
        await edit(telegram.api, chatId, messageId, screen);
        return 'shown';
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        if (error instanceof GrammyError && cannotBeEdited(error)) return 'gone';
        return refusal.answered ? 'elsewhere' : 'unknown';
      }
    },
  };
}
