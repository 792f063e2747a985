// Sends several files as one album: by their URLs and, when Telegram refuses one of them, by their bytes, as many as one
// upload can hold. Telegram sends an album whole or not at all. So that one bad file does not spoil the others, a file
// that the album does not take leaves it and is sent by itself.
import { type Api, InputFile } from 'grammy';
import type { InputMediaAudio } from 'grammy/types';
import type { Download, Downloader } from '../kie/download.ts';
import type { SettledDelivery } from '../pipeline/sender.ts';
import { type AlbumMedia, albumItem, fileIdOf, maxPhotoUploadBytes, maxUploadBytes } from './file-message.ts';
import type { ResultFile } from './result-file.ts';
import { isFailedDownload, isFileRefused, sendFailureOf } from './send-failure.ts';
import { noPlace, type Uploads } from './uploads.ts';

export type AlbumFile = ResultFile & { readonly media: AlbumMedia };

export interface SentAlbum {
  readonly settled: readonly SettledDelivery[];
  /** Files that the album did not take. They have not been sent. */
  readonly left: readonly ResultFile[];
}

export interface AlbumSender {
  /** Takes 2–10 files that may share an album. */
  send(chatId: number, files: readonly AlbumFile[], title: string): Promise<SentAlbum>;
}

export interface AlbumSenderOptions {
  readonly api: Api;
  readonly downloader: Downloader;
  readonly uploads: Uploads;
}

interface Item {
  readonly file: AlbumFile;
  readonly source: string | InputFile;
}

export function createAlbumSender({ api, downloader, uploads }: AlbumSenderOptions): AlbumSender {
  async function sendItems(
    chatId: number,
    items: readonly Item[],
    title: string,
  ): Promise<SettledDelivery[]> {
    const media = items.map(({ file, source }) => albumItem(file.media, source, title));
    // SAFETY: an album holds sounds alone, or pictures and films; Telegram itself refuses anything else.
    const messages = await api.sendMediaGroup(chatId, media as InputMediaAudio[]);
    return items.map(({ file: { row } }, index) => {
      const message = messages[index];
      if (!message) throw new Error(`Telegram sent ${messages.length} of ${items.length} files`);
      const result = {
        ok: true,
        messageId: message.message_id,
        fileId: fileIdOf(message),
        detail: undefined,
      } as const;
      return { row, result };
    });
  }

  /** Downloads as many files as one request may hold, in their order; `kept` disposes of them. */
  async function fetchItems(
    files: readonly AlbumFile[],
    kept: AsyncDisposableStack,
  ): Promise<{ items: Item[]; left: ResultFile[] }> {
    const items: Item[] = [];
    const left: ResultFile[] = [];
    let room = maxUploadBytes;
    for (const file of files) {
      const fetched = await fetchFile(file, room);
      if (fetched) {
        kept.use(fetched);
        room -= fetched.sizeBytes;
        items.push({ file, source: new InputFile(fetched.path, file.fileName(fetched.mediaType)) });
      } else left.push(file);
    }
    return { items, left };
  }

  /** undefined: it is too large for the room that is left, or it cannot be downloaded now. */
  async function fetchFile({ media, url }: AlbumFile, room: number): Promise<Download | undefined> {
    if (url === undefined || room === 0) return undefined;
    const maxBytes = media === 'image' ? Math.min(room, maxPhotoUploadBytes) : room;
    try {
      return await downloader.download(url, { maxBytes });
    } catch (error) {
      if (isFailedDownload(error)) return undefined;
      throw error;
    }
  }

  /** Leaves out the file that Telegram names as the culprit, again and again, until Telegram takes the rest. */
  async function sendUploaded(
    chatId: number,
    files: readonly AlbumFile[],
    title: string,
  ): Promise<SentAlbum> {
    await using kept = new AsyncDisposableStack();
    const { items, left } = await fetchItems(files, kept);
    while (items.length > 1) {
      try {
        return { settled: await sendItems(chatId, items, title), left };
      } catch (error) {
        if (!isFileRefused(error)) return { settled: failed(items, error), left };
        const culprit = culpritOf(error.description);
        const out = culprit === undefined ? items.splice(0) : items.splice(culprit - 1, 1);
        // Otherwise a number beyond our files would keep this loop going for ever.
        left.push(...(out.length > 0 ? out : items.splice(0)).map(({ file }) => file));
      }
    }
    left.push(...items.map(({ file }) => file));
    return { settled: [], left };
  }

  return {
    async send(chatId, files, title) {
      const known = files.flatMap(file => {
        const source = file.row.fileId ?? file.url;
        return source === undefined ? [] : [{ file, source }];
      });
      try {
        if (known.length === files.length)
          return { settled: await sendItems(chatId, known, title), left: [] };
      } catch (error) {
        if (!isFileRefused(error)) return { settled: failed(known, error), left: [] };
      }
      const sent = await uploads.run(files[0]?.url, () => sendUploaded(chatId, files, title));
      if (!sent) return { settled: files.map(({ row }) => ({ row, result: noPlace })), left: [] };
      const { settled, left } = sent;
      return { settled, left: left.toSorted((one, other) => one.row.position - other.row.position) };
    },
  };
}

/** "failed to send message #2 with the error message …" */
function culpritOf(description: string): number | undefined {
  const number = /message #(\d+)/.exec(description)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** The failure of the call is the failure of each of them. Throws what is a defect. */
function failed(items: readonly Item[], error: unknown): SettledDelivery[] {
  const result = sendFailureOf(error);
  if (!result) throw error;
  return items.map(({ file: { row } }) => ({ row, result }));
}
