// Owns the four ways in which a bot names a file to send: an uploaded part under the argument's own name, `attach://`
// with the name of another part, the file_id of a known file, or an http(s) URL that the server downloads itself.
// It promises never to leave the machine: only loopback URLs are fetched, any other one fails as if nobody answered.
// Sources: Client.cpp get_input_file, fail_query_with_error; FileManager.cpp, FileLoaderUtils.cpp; IMAGE_… and
// PHOTO_…: decided by the servers.
import { fetch } from 'undici';
import { type ApiError, badRequest } from './api-error.ts';
import type { FileKind, FileStore, NewFile, StoredFile } from './file-store.ts';
import { readImageSize } from './image-size.ts';
import { isLoopback } from './loopback.ts';
import type { Parameters } from './parameters.ts';

const ATTACH_PREFIX = 'attach://';
const MEBIBYTE = 1024 * 1024;
const MAXIMUM_PHOTO_BYTES = 10 * MEBIBYTE;
const MAXIMUM_PHOTO_BYTES_BY_URL = 5 * MEBIBYTE;
const MAXIMUM_BYTES_BY_URL = 20 * MEBIBYTE;
const MAXIMUM_PHOTO_SIDES_SUM = 10_000;
const MAXIMUM_PHOTO_RATIO = 20;
const DOWNLOAD_TIMEOUT_MS = 10_000;
/**
 * The type that a web server must give a file of each kind; documents come from the web only as these three
 * (core.telegram.org/bots/api#sending-files).
 */
const TYPES_BY_URL: Readonly<Record<FileKind, RegExp>> = {
  photo: /^image\//,
  video: /^video\//,
  video_note: /^video\//,
  audio: /^audio\//,
  voice: /^audio\/ogg$/,
  animation: /^(image\/gif|video\/mp4)$/,
  document: /^(image\/gif|application\/(pdf|zip))$/,
};

export interface InputFileRequest {
  readonly parameters: Parameters;
  /** The argument that holds the file. */
  readonly field: string;
  readonly kind: FileKind;
  readonly files: FileStore;
  /** The error when the argument is missing. */
  readonly missing: string;
}

/** Finds or stores the file that the argument names. Throws 400 with Telegram's words when it cannot be sent. */
export async function readInputFile(request: InputFileRequest): Promise<StoredFile> {
  const { parameters, field, kind, files, missing } = request;
  const value = parameters.text(field);
  const isAttached = value.startsWith(ATTACH_PREFIX);
  if (value !== '' && !isAttached) {
    return /[.:]/.test(value) ? files.add(await download(value, kind)) : findById(files, value, kind);
  }
  const part = parameters.files.get(isAttached ? value.slice(ATTACH_PREFIX.length) : field);
  if (part === undefined) throw badRequest(missing);
  const mimeType = part.contentType === '' ? undefined : part.contentType;
  return files.add(checked({ kind, bytes: part.bytes, fileName: part.fileName, mimeType }));
}

/** A photo can only be sent again as a photo; the other kinds are all documents to Telegram. */
function findById(files: FileStore, fileId: string, kind: FileKind): StoredFile {
  const file = files.find(fileId);
  if (file === undefined) throw badRequest("wrong remote file identifier specified: can't unserialize it");
  if ((file.kind === 'photo') !== (kind === 'photo')) {
    throw badRequest(`can't use file of type ${capitalized(file.kind)} as ${capitalized(kind)}`);
  }
  return file;
}

/** What Telegram checks in a photo when it is uploaded. Other kinds are not looked into. */
function checked(file: NewFile): NewFile {
  if (file.kind !== 'photo') return file;
  if (file.bytes.length > MAXIMUM_PHOTO_BYTES) {
    const limit = `the maximum size is ${MAXIMUM_PHOTO_BYTES} bytes`;
    throw badRequest(`file of size ${file.bytes.length} bytes is too big for a photo; ${limit}`);
  }
  const size = readImageSize(file.bytes);
  if (size === undefined) throw badRequest('IMAGE_PROCESS_FAILED');
  const ratio = Math.max(size.width / size.height, size.height / size.width);
  if (size.width + size.height > MAXIMUM_PHOTO_SIDES_SUM || ratio > MAXIMUM_PHOTO_RATIO) {
    throw badRequest('PHOTO_INVALID_DIMENSIONS');
  }
  return file;
}

async function download(address: string, kind: FileKind): Promise<NewFile> {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw badRequest('wrong HTTP URL specified');
  }
  const url = new URL(address);
  if (!isLoopback(url)) throw failedDownload();
  let response: Awaited<ReturnType<typeof fetch>>;
  let bytes: Buffer;
  try {
    response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    bytes = Buffer.from(await response.arrayBuffer());
  } catch {
    throw failedDownload();
  }
  const limit = kind === 'photo' ? MAXIMUM_PHOTO_BYTES_BY_URL : MAXIMUM_BYTES_BY_URL;
  if (!response.ok || bytes.length > limit) throw failedDownload();
  const mimeType = response.headers.get('content-type')?.split(';')[0] ?? undefined;
  if (mimeType === 'text/html') throw badRequest('wrong type of the web page content');
  // The words are reported, not documented.
  if (!TYPES_BY_URL[kind].test(mimeType ?? '')) throw badRequest('wrong file identifier/HTTP URL specified');
  return checked({ kind, bytes, fileName: url.pathname.split('/').at(-1) || undefined, mimeType });
}

function failedDownload(): ApiError {
  return badRequest('failed to get HTTP URL content');
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
