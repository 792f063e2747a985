// Sends one file in the first way that Telegram accepts: by the file_id it has, by its URL, by its bytes, as a document,
// and at last as a text with the link. Only a refusal of the file leads to the next way. After an error that may pass,
// or a call that may have succeeded unheard, nothing more is tried now. A file that its host does not serve is not sent
// as a link either. The bytes lie on the disk while they are sent, so only a few files are sent like this at a time.
import { type Api, InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { Download, Downloader } from '../kie/download.ts';
import type { SendFailure, SendResult, Sent } from '../pipeline/sender.ts';
import { type Accompaniment, fileIdOf, maxPhotoUploadBytes, maxUploadBytes, sendAs } from './file-message.ts';
import type { ResultFile } from './result-file.ts';
import { isDownloadRefused, isFileRefused, sendFailureOf } from './send-failure.ts';
import { noPlace, type Uploads } from './uploads.ts';

/** `linkText` offers the file as a link where Telegram does not take it. */
export interface FileLetter extends Accompaniment {
  linkText(url: string): string;
}

export interface FileSender {
  /** Throws for defects only. */
  send(file: ResultFile, letter: FileLetter): Promise<SendResult>;
}

export interface FileSenderOptions {
  readonly api: Api;
  readonly downloader: Downloader;
  readonly uploads: Uploads;
}

/** Resolves with undefined where this way is not possible for the file. */
type Way = () => Promise<Message | undefined>;
type Ways = Readonly<Record<string, Way>>;
type Fetched = () => Promise<Download>;

export function createFileSender({ api, downloader, uploads }: FileSenderOptions): FileSender {
  /** Ways in which we transfer no bytes. */
  function remoteWays({ row, media, url }: ResultFile, letter: FileLetter): Ways {
    const { fileId } = row;
    const kind = row.kind === 'original' ? 'file' : media;
    return {
      ...(fileId === null ? {} : { file_id: () => sendAs(kind, api, fileId, letter) }),
      // Telegram takes hardly any documents by URL.
      ...(url === undefined || kind === 'file' ? {} : { url: () => sendAs(kind, api, url, letter) }),
    };
  }

  /** `fetched` downloads the file at most once. */
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
      const refusals: SendFailure[] = [];

      /** undefined: none of these ways worked. */
      async function tryWays(ways: Ways): Promise<SendResult | undefined> {
        for (const [name, way] of Object.entries(ways)) {
          try {
            const message = await way();
            if (message) return sentAs(name, message, refusals);
          } catch (error) {
            const result = sendFailureOf(error);
            if (!result) throw error;
            if (!isFileRefused(error) && !isDownloadRefused(error)) return result;
            refusals.push(result);
            // The other way that needs the bytes would fail for the same reason.
            if (isDownloadRefused(error)) return undefined;
          }
        }
        return undefined;
      }

      /** `noPlace` where no place was free, so nothing was tried; undefined: none of these ways worked. */
      async function tryUpload(): Promise<SendResult | undefined> {
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

function sentAs(way: string, message: Message, refusals: readonly SendFailure[]): Sent {
  return {
    ok: true,
    messageId: message.message_id,
    fileId: fileIdOf(message),
    detail: refusals.length === 0 ? undefined : `sent as ${way}, because of ${detailsOf(refusals)}`,
  };
}

/** Every way was tried. */
function refused(refusals: readonly SendFailure[]): SendFailure {
  const last = refusals.at(-1);
  return {
    ok: false,
    retry: false,
    retryAfterMs: undefined,
    unreachable: false,
    reason: last?.reason ?? 'DOWNSTREAM_ERROR',
    detail: refusals.length === 0 ? 'the result has no web address' : detailsOf(refusals),
    code: last?.code,
    error: last?.error,
  };
}

function detailsOf(refusals: readonly SendFailure[]): string {
  return [...new Set(refusals.map(({ detail }) => detail))].join(', ');
}
