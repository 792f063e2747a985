// Reads the files that users have sent: asks Telegram for the path, then downloads it, up to the 20 MB that bots may
// have; the file lies on the disk. The download's address holds the token: it reaches no error, no span and no line.
import { SpanKind } from '@opentelemetry/api';
import { GrammyError, HttpError } from 'grammy';
import { Agent, type Dispatcher, request } from 'undici';
import { AppError, type ErrorCode, errorType } from '../errors.ts';
import { FileTooLarge, type Spool, type SpooledFile } from '../kie/spool.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { InputFile, InputFiles } from '../pipeline/input-files.ts';
import type { Secret } from '../secret.ts';
import type { TelegramApi } from './api.ts';

export interface InputFilesOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly token: Secret;
  readonly apiRoot: string;
  readonly telemetry: Pick<Telemetry, 'inSpan' | 'setAttributes'>;
  readonly spool: Spool;
  /** From the call to the last byte; 30 s by default. */
  readonly timeoutMs?: number;
  /** For the connection, and for each wait for Telegram; 10 s by default. */
  readonly silenceMs?: number;
}

export interface ClosableInputFiles extends InputFiles {
  /** Ends idle connections, after the downloads that are under way. */
  close(): Promise<void>;
}

/** core.telegram.org/bots/api#getfile */
const maxBytes = 20 * 1_048_576;
const defaultTimeoutMs = 30_000;
const defaultSilenceMs = 10_000;

const typeByEnding: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  wav: 'audio/wav',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
};

export function createInputFiles(options: InputFilesOptions): ClosableInputFiles {
  const { telegram, token, apiRoot, telemetry, spool, timeoutMs = defaultTimeoutMs } = options;
  const { silenceMs = defaultSilenceMs } = options;
  const agent = new Agent({
    allowH2: false,
    connect: { timeout: silenceMs },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });

  async function pathOf(fileId: string): Promise<string> {
    try {
      const { file_path, file_size } = await telegram.api.getFile(fileId);
      if ((file_size ?? 0) > maxBytes) throw tooBig();
      if (file_path === undefined) throw gone('Telegram names no path');
      return file_path;
    } catch (error) {
      if (error instanceof GrammyError) throw refusalOf(error);
      if (error instanceof HttpError) throw unreachable('Telegram could not be reached');
      throw error;
    }
  }

  async function download(path: string): Promise<SpooledFile> {
    try {
      const url = `${apiRoot.replace(/\/$/, '')}/file/bot${token.reveal()}/${path}`;
      const response = await request(url, { dispatcher: agent, signal: AbortSignal.timeout(timeoutMs) });
      telemetry.setAttributes({ 'http.response.status_code': response.statusCode });
      return await read(response, spool);
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (error instanceof FileTooLarge) throw tooBig();
      // Not as a cause: some errors of clients hold the address.
      throw unreachable(`the download failed: ${errorType(error)}`);
    }
  }

  return {
    async open(fileId): Promise<InputFile> {
      const path = await pathOf(fileId);
      const file = await telemetry.inSpan('telegram download', { kind: SpanKind.CLIENT }, () =>
        download(path),
      );
      const ending = /\.([a-z0-9]{1,5})$/i.exec(path)?.[1]?.toLowerCase() ?? '';
      return {
        content: await file.blob(),
        mimeType: typeByEnding[ending] ?? 'application/octet-stream',
        [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
      };
    },
    close: () => agent.close(),
  };
}

async function read({ statusCode, body }: Dispatcher.ResponseData, spool: Spool): Promise<SpooledFile> {
  if (statusCode === 200) return spool.take(body, maxBytes);
  await body.dump();
  // Telegram keeps a path for an hour at least, and says nothing of why it has gone.
  if (statusCode === 404) throw gone('Telegram does not have it any more');
  throw unreachable(`HTTP status ${statusCode}`);
}

/** The descriptions: "file is too big"; "wrong file_id or the file is temporarily unavailable"; "invalid file_id". */
function refusalOf(error: GrammyError): AppError {
  if (/file is too big/i.test(error.description)) return tooBig();
  if (error.error_code === 400) return gone(error.description);
  return unreachable(`${error.error_code} ${error.description}`);
}

function tooBig(): AppError {
  return inputFileError('INPUT_FILE_TOO_BIG', 'it is larger than the 20 MB that bots may download');
}

function gone(why: string): AppError {
  return inputFileError('INPUT_FILE_GONE', why);
}

function unreachable(why: string): AppError {
  return inputFileError('INPUT_FILE_UNREACHABLE', why);
}

function inputFileError(code: ErrorCode, why: string): AppError {
  return new AppError({ code, message: `A file of the user could not be read: ${why}` });
}
