// Sends one file in the first way that Telegram takes: as it knows it already, by its URL, by its bytes, as a document,
// and at last as a text with the link. Only a refusal of the file leads to the next way; what may pass, and what may
// have been done without our hearing of it, is left for later. A file that its host does not give is no link either.
// Bytes lie on the disk while they are sent: only a few files at a time do.
import { type Api, InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { Download, Downloader } from '../kie/download.ts';
import type { Delivered, DeliveryResult, Undelivered } from '../pipeline/deliverer.ts';
import { type Accompaniment, fileIdOf, maxPhotoUploadBytes, maxUploadBytes, sendAs } from './file-message.ts';
import type { ResultFile } from './result-file.ts';
import { isDownloadRefused, isFileRefused, undeliveredOf } from './undelivered.ts';
import { noPlace, type Uploads } from './uploads.ts';

/** Also says how to offer the file where Telegram does not take it. */
export interface FileLetter extends Accompaniment {
  linkText(url: string): string;
}

export interface FileSender {
  /** Throws for defects only. */
  send(file: ResultFile, letter: FileLetter): Promise<DeliveryResult>;
}

export interface FileSenderOptions {
  readonly api: Api;
  readonly downloader: Downloader;
  readonly uploads: Uploads;
}

/** undefined: not possible for this file. */
type Way = () => Promise<Message | undefined>;
type Ways = Readonly<Record<string, Way>>;
type Fetched = () => Promise<Download>;

export function createFileSender({ api, downloader, uploads }: FileSenderOptions): FileSender {
  /** Without a transfer of ours. */
  function remoteWays({ row, media, url }: ResultFile, letter: FileLetter): Ways {
    const { fileId } = row;
    const kind = row.kind === 'original' ? 'file' : media;
    return {
      ...(fileId === null ? {} : { file_id: () => sendAs(kind, api, fileId, letter) }),
      // Telegram takes hardly any documents by URL.
      ...(url === undefined || kind === 'file' ? {} : { url: () => sendAs(kind, api, url, letter) }),
    };
  }

  /** `fetched` gives the file, and fetches it once. */
  function uploadWays({ row, media, fileName }: ResultFile, letter: FileLetter, fetched: Fetched): Ways {
    const uploadAs = async (kind: ResultFile['media']) => {
      const { path, sizeBytes, mediaType } = await fetched();
      if (kind === 'image' && sizeBytes > maxPhotoUploadBytes) return undefined;
      return sendAs(kind, api, new InputFile(path, fileName(mediaType)), letter);
    };
    return {
      ...(row.kind === 'original' || media === 'file' ? {} : { bytes: () => uploadAs(media) }),
      document: () => uploadAs('file'),
    };
  }

  function linkWay({ url }: ResultFile, { chatId, keyboard, linkText }: FileLetter): Ways {
    if (url === undefined) return {};
    return {
      link: () =>
        api.sendMessage(chatId, linkText(url), {
          parse_mode: 'HTML',
          link_preview_options: { is_disabled: true },
          ...(keyboard === undefined ? {} : { reply_markup: keyboard }),
        }),
    };
  }

  return {
    async send(file, letter) {
      const refusals: Undelivered[] = [];

      /** undefined: no way was taken. */
      async function tryWays(ways: Ways): Promise<DeliveryResult | undefined> {
        for (const [name, way] of Object.entries(ways)) {
          try {
            const message = await way();
            if (message) return delivered(name, message, refusals);
          } catch (error) {
            const result = undeliveredOf(error);
            if (!result) throw error;
            if (!isFileRefused(error) && !isDownloadRefused(error)) return result;
            refusals.push(result);
            // The other way by bytes would only fail in the same way.
            if (isDownloadRefused(error)) return undefined;
          }
        }
        return undefined;
      }

      /** `noPlace` where it was not tried; undefined: no way was taken. */
      async function tryUpload(): Promise<DeliveryResult | undefined> {
        const { url } = file;
        if (url === undefined) return undefined;
        const tried = await uploads.run(url, async () => {
          await using kept = new AsyncDisposableStack();
          let download: Promise<Download> | undefined;
          const fetched = (): Promise<Download> => {
            download ??= downloader.download(url, { maxBytes: maxUploadBytes }).then(got => kept.use(got));
            return download;
          };
          return { result: await tryWays(uploadWays(file, letter, fetched)) };
        });
        return tried ? tried.result : noPlace;
      }

      return (
        (await tryWays(remoteWays(file, letter))) ??
        (await tryUpload()) ??
        (await tryWays(linkWay(file, letter))) ??
        refused(refusals)
      );
    },
  };
}

function delivered(way: string, message: Message, refusals: readonly Undelivered[]): Delivered {
  return {
    ok: true,
    messageId: message.message_id,
    fileId: fileIdOf(message),
    detail: refusals.length === 0 ? undefined : `sent as ${way}, because of ${detailsOf(refusals)}`,
  };
}

/** No way is left. */
function refused(refusals: readonly Undelivered[]): Undelivered {
  const last = refusals.at(-1);
  return {
    ok: false,
    retry: false,
    retryAfterMs: undefined,
    unreachable: false,
    reason: last?.reason ?? 'DOWNSTREAM_ERROR',
    detail: refusals.length === 0 ? 'the result has no web address' : detailsOf(refusals),
    error: last?.error,
  };
}

function detailsOf(refusals: readonly Undelivered[]): string {
  return [...new Set(refusals.map(({ detail }) => detail))].join(', ');
}
