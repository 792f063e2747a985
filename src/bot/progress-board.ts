// Shows how far a generation is in the message that says that it runs, unless its user has opened something else
// there. Best effort: the next step comes soon, and the result without it.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ProgressBoard } from '../pipeline/ports.ts';
import type { MessageStore } from '../storage/message-store.ts';
import { renderProcessing } from '../ui/task-screens.ts';
import type { Texts } from '../ui/texts.ts';
import type { TelegramApi } from './api.ts';
import { present } from './presenter.ts';
import { refusedBy } from './refusal.ts';

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
      if (messageId === null || !(await messages.showsTask(chatId, messageId, id))) return;
      const data = { task: id, model: modelKey, progress: percent };
      const screen = renderProcessing(data, { t: texts.for(locale), catalogue });
      await refusedBy(present(telegram.api, chatId, screen, messageId).then(() => undefined));
    },
  };
}
