// Brings results and bad news to the user: the file as a new message with the buttons of RESULT, a failure
// as RESULT_ERROR in the place of PROCESSING, unless the user has opened something else there. Downloads the file itself and uploads the bytes, because
// KIE.ai's URLs are short-lived and must pass the checks of the downloader.
import { InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { AppError } from '../errors.ts';
import type { Downloader } from '../kie/download.ts';
import { cidOfTraceparent } from '../otel/propagation.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Deliverer, DeliveryResult } from '../pipeline/deliver.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { TaskRow } from '../storage/task-store.ts';
import { renderScreen, type View } from '../ui/render.ts';
import { recordOf, type ScreenData, type ScreenId } from '../ui/screens.ts';
import { escapeHtml, type Texts } from '../ui/texts.ts';
import type { TelegramApi } from './api.ts';
import { keyboardOf, present } from './presenter.ts';
import { refusalOf } from './refusal.ts';

export interface DeliveryOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly messages: MessageStore;
  readonly catalogue: Catalogue;
  readonly texts: Texts;
  readonly downloader: Downloader;
  readonly telemetry: Pick<Telemetry, 'emit' | 'annotate'>;
}

export function createDeliverer(options: DeliveryOptions): Deliverer {
  const { messages, catalogue, texts, downloader } = options;
  const { api } = options.telegram;
  const viewOf = (task: TaskRow): View => ({ locale: task.locale, t: texts.for(task.locale), catalogue });

  async function sendFile(task: TaskRow, url: string, last: boolean): Promise<Message.PhotoMessage> {
    const { bytes } = await downloader.download(url);
    const screen = renderScreen('RESULT', { task: task.id, model: task.modelKey }, viewOf(task));
    // The name must not tell the prompt or the supplier.
    return api.sendPhoto(task.chatId, new InputFile(bytes, `${task.modelKey}.png`), {
      caption: screen.text,
      parse_mode: 'HTML',
      ...(last ? { reply_markup: keyboardOf(screen) } : {}),
    });
  }

  async function record<S extends ScreenId>(
    task: TaskRow,
    messageId: number,
    screen: S,
    data: ScreenData[S],
    media: boolean,
  ): Promise<void> {
    await messages.record({ chatId: task.chatId, messageId, screen, record: recordOf(data), media });
    options.telemetry.annotate({ screen_id: screen });
  }

  /** The message that shows the task; undefined when the user went on in it, to the menu or another form. */
  async function messageOf(task: TaskRow): Promise<number | undefined> {
    const { chatId, messageId } = task;
    return messageId !== null && (await messages.showsTask(chatId, messageId, task.id))
      ? messageId
      : undefined;
  }

  /** The PROCESSING message becomes a plain line. Cosmetic: the result is there already, so a refusal only leaves it. */
  async function closeProcessing(task: TaskRow): Promise<void> {
    const messageId = await messageOf(task);
    if (messageId === undefined) return;
    const title = catalogue.byKey(task.modelKey)?.title ?? task.modelKey;
    try {
      await api.editMessageText(
        task.chatId,
        messageId,
        texts.for(task.locale)('result-ready', { title: escapeHtml(title) }),
        {
          parse_mode: 'HTML',
        },
      );
    } catch (error) {
      if (!refusalOf(error)) throw error;
    }
    await record(task, messageId, 'RESULT', { task: task.id, model: task.modelKey }, false);
  }

  /** Turns refusals of Telegram and of the download into a result; defects stay errors. */
  async function attempt(task: TaskRow, send: () => Promise<DeliveryResult>): Promise<DeliveryResult> {
    try {
      return await send();
    } catch (error) {
      if (
        error instanceof AppError &&
        (error.code === 'DOWNLOAD_FAILED' || error.code === 'DOWNLOAD_REFUSED')
      ) {
        return {
          ok: false,
          retry: error.retryable,
          unreachable: false,
          reason: 'DOWNSTREAM_ERROR',
          detail: error.message,
          error,
        };
      }
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      const { retry, blocked, reason, detail } = refusal;
      if (blocked) await messages.markBlocked(task.chatId);
      return { ok: false, retry, unreachable: blocked, reason, detail, error };
    }
  }

  return {
    sendResult: (task, { url, last }) =>
      attempt(task, async () => {
        const sent = await sendFile(task, url ?? '', last);
        await record(task, sent.message_id, 'RESULT', { task: task.id, model: task.modelKey }, true);
        if (last) await closeProcessing(task);
        const fileId = sent.photo.at(-1)?.file_id;
        return { ok: true, messageId: sent.message_id, ...(fileId === undefined ? {} : { fileId }) };
      }),
    sendFailure: task =>
      attempt(task, async () => {
        const data = {
          task: task.id,
          model: task.modelKey,
          reason: task.reasonCode ?? ('INTERNAL_ERROR' as const),
          cid: cidOfTraceparent(task.traceparent),
        };
        const screen = renderScreen('RESULT_ERROR', data, viewOf(task));
        const { messageId } = await present(api, task.chatId, screen, await messageOf(task));
        await record(task, messageId, 'RESULT_ERROR', data, false);
        return { ok: true, messageId };
      }),
  };
}
