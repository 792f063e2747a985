// Sends deliveries to Telegram. A single file bears the buttons of RESULT itself. Several files come as albums, which
// cannot have buttons, so a closing text with the buttons follows them. A failure is shown as RESULT_ERROR in the place
// of PROCESSING, unless the user has opened something else there or has been sent files since.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Downloader } from '../kie/download.ts';
import { cidOfTraceparent } from '../otel/propagation.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Sender, SendResult, SettledDelivery } from '../pipeline/sender.ts';
import type { Delivery, DeliveryClaim } from '../storage/delivery-store.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { keyboardOf, present } from '../telegram/presenter.ts';
import { refusalOf } from '../telegram/refusal.ts';
import type { RenderedScreen } from '../ui/keyboard.ts';
import { renderScreen } from '../ui/render.ts';
import { type MoneyAfterFailure, recordOf, type ScreenData, type ScreenId } from '../ui/screens.ts';
import { escapeHtml, type Texts } from '../ui/texts.ts';
import type { View } from '../ui/view.ts';
import { type AlbumFile, createAlbumSender } from './album-sender.ts';
import { createFileSender, type FileLetter } from './file-sender.ts';
import { type ResultFile, resultFileOf } from './result-file.ts';
import { sendFailureOf } from './send-failure.ts';
import { createUploads } from './uploads.ts';

export interface TelegramSenderOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly messages: MessageStore;
  readonly catalogue: Catalogue;
  readonly texts: Texts;
  readonly startingPrice: View['startingPrice'];
  readonly downloader: Downloader;
  readonly telemetry: Pick<Telemetry, 'annotate'>;
}

export function createTelegramSender(options: TelegramSenderOptions): Sender {
  const { messages, catalogue, texts, downloader } = options;
  const { api } = options.telegram;
  const uploads = createUploads();
  const files = createFileSender({ api, downloader, uploads });
  const albums = createAlbumSender({ api, downloader, uploads });

  const titleOf = (task: TaskRow): string => catalogue.byKey(task.modelKey)?.title ?? task.modelKey;
  const viewOf = (task: TaskRow): View => ({
    locale: task.locale,
    t: texts.for(task.locale),
    catalogue,
    startingPrice: options.startingPrice,
  });
  const resultScreen = (task: TaskRow): RenderedScreen =>
    renderScreen('RESULT', { task: task.id, model: task.modelKey }, viewOf(task));

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

  const recordResult = (task: TaskRow, messageId: number, media: boolean): Promise<void> =>
    record(task, messageId, 'RESULT', { task: task.id, model: task.modelKey }, media);

  /** The message that shows the task; undefined when the user has opened the menu or another form in it. */
  async function messageOf(task: TaskRow): Promise<number | undefined> {
    const { chatId, messageId } = task;
    return messageId !== null && (await messages.showsTask(chatId, messageId, task.id))
      ? messageId
      : undefined;
  }

  /** Makes the PROCESSING message a plain line. The result has arrived already, so a refusal only leaves it as it is. */
  async function closeProcessing(task: TaskRow): Promise<void> {
    const messageId = await messageOf(task);
    if (messageId === undefined) return;
    const text = texts.for(task.locale)('result-ready', { title: escapeHtml(titleOf(task)) });
    try {
      await api.editMessageText(task.chatId, messageId, text, { parse_mode: 'HTML' });
    } catch (error) {
      if (!refusalOf(error)) throw error;
    }
    await recordResult(task, messageId, false);
  }

  function letterOf(task: TaskRow, isOnly: boolean): FileLetter {
    const title = titleOf(task);
    const screen = isOnly ? resultScreen(task) : undefined;
    return {
      chatId: task.chatId,
      title,
      ...(screen ? { caption: screen.text, keyboard: keyboardOf(screen) } : {}),
      linkText: url =>
        texts.for(task.locale)('result-link', { title: escapeHtml(title), url: escapeHtml(url) }),
    };
  }

  async function* sendFiles(task: TaskRow, claim: DeliveryClaim): AsyncGenerator<readonly SettledDelivery[]> {
    const output = catalogue.byKey(task.modelKey)?.output ?? 'image';
    const all = claim.rows.map(row => resultFileOf(task, row, output, claim.files));
    const isOnly = claim.kind === 'result' && claim.files === 1;
    const letter = letterOf(task, isOnly);
    const alone: ResultFile[] = [];
    for (const group of groupsOf(all, claim)) {
      if (!isAlbum(group)) {
        alone.push(...group);
        continue;
      }
      const { settled, left } = await albums.send(task.chatId, group, letter.title);
      if (settled.length > 0) yield settled;
      alone.push(...left);
    }
    for (const file of alone) {
      const result = await files.send(file, letter);
      if (isOnly && result.ok) await recordResult(task, result.messageId, result.fileId !== undefined);
      yield [{ row: file.row, result }];
      if (isOnly && result.ok) await closeProcessing(task);
    }
  }

  async function* sendClosing(task: TaskRow, row: Delivery): AsyncGenerator<readonly SettledDelivery[]> {
    const screen = resultScreen(task);
    const result = await attempt(async () => {
      const { messageId } = await present(api, task.chatId, screen, undefined);
      await recordResult(task, messageId, false);
      return messageId;
    });
    yield [{ row, result }];
    if (result.ok) await closeProcessing(task);
  }

  async function* sendFailure(
    task: TaskRow,
    row: Delivery,
    { sentFiles, traceparent }: DeliveryClaim,
  ): AsyncGenerator<readonly SettledDelivery[]> {
    const data = {
      task: task.id,
      model: task.modelKey,
      reason: task.reasonCode ?? ('INTERNAL_ERROR' as const),
      cid: cidOfTraceparent(traceparent ?? task.traceparent),
      money: moneyAfter(task),
      hasResult: task.state === 'succeeded',
    };
    const screen = renderScreen('RESULT_ERROR', data, viewOf(task));
    const result = await attempt(async () => {
      // In a message above the files, nobody would see it.
      const place = sentFiles > 0 ? undefined : await messageOf(task);
      const { messageId } = await present(api, task.chatId, screen, place);
      await record(task, messageId, 'RESULT_ERROR', data, false);
      return messageId;
    });
    yield [{ row, result }];
  }

  /** Turns a refusal by Telegram into a result; a defect stays an error. */
  async function attempt(send: () => Promise<number>): Promise<SendResult> {
    try {
      return { ok: true, messageId: await send(), fileId: undefined, detail: undefined };
    } catch (error) {
      const result = sendFailureOf(error);
      if (!result) throw error;
      return result;
    }
  }

  async function* sendClaim(task: TaskRow, claim: DeliveryClaim): AsyncGenerator<readonly SettledDelivery[]> {
    const [row] = claim.rows;
    if (!row) return;
    if (claim.kind === 'closing') yield* sendClosing(task, row);
    else if (claim.kind === 'failure') yield* sendFailure(task, row, claim);
    else yield* sendFiles(task, claim);
  }

  return {
    async *send(task, claim) {
      for await (const settled of sendClaim(task, claim)) {
        const isBlocked = settled.some(({ result }) => !result.ok && result.unreachable);
        if (isBlocked) await messages.markBlocked(task.chatId);
        yield settled;
      }
    },
    close: closeProcessing,
  };
}

function moneyAfter({ money, quote }: TaskRow): MoneyAfterFailure {
  if (quote === undefined || quote.kopecks === 0) return 'untouched';
  return money === 'charged' ? 'charged' : 'returned';
}

/** Groups what may share an album, by position: pictures and films mix, sounds do not, and originals come one by one. */
function groupsOf(files: readonly ResultFile[], { kind }: DeliveryClaim): ResultFile[][] {
  if (kind === 'original') return files.map(file => [file]);
  const groups = Map.groupBy(files, ({ media, row }) => {
    if (media === 'file') return `file ${row.position}`;
    return media === 'audio' ? 'audio' : 'visual';
  });
  return [...groups.values()];
}

function isAlbum(files: ResultFile[]): files is AlbumFile[] {
  return files.length > 1 && files.every(({ media }) => media !== 'file');
}
