// Fetches result files. Their URLs come from outside, so they are treated as hostile: only https to public
// addresses, checked where the connection is made, redirects followed by hand under the same rules, the
// size counted while it streams, one deadline for everything and shorter ones for the connection, the first byte and each
// pause. Errors name the host, never the URL: result URLs can be signed. The file lies on the disk (spool.ts), at most
// `maxBytes` of it. What it is, its bytes decide.
import { isIP } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { AppError, errorType } from '../errors.ts';
import { createGuardedLookup } from './guarded-lookup.ts';
import { sniffMediaType } from './media-type.ts';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';
import { FileTooLarge, type Spool, type SpooledFile } from './spool.ts';

export interface DownloaderOptions {
  /** For the sandbox: loopback hosts are allowed, and http for them. */
  readonly allowLoopback: boolean;
  /** From the call to the last byte, redirects included. */
  readonly timeoutMs: number;
  /** For the connection, and for each wait for the host; 10 s by default. */
  readonly silenceMs?: number;
  readonly spool: Spool;
}

export interface Download extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * What the first bytes show, else what the host says; lower case, without parameters;
   * application/octet-stream when neither is known.
   */
  readonly mediaType: string;
}

export interface DownloadLimits {
  /** A larger file is refused, and not read further than this. */
  readonly maxBytes: number;
}

export interface Downloader {
  /**
   * Rejects with an AppError: DOWNLOAD_REFUSED when the URL, where it leads or its size is not acceptable
   * (trying again is useless), DOWNLOAD_FAILED when the host or the network failed (see its `retryable`), SPOOL_FAILED when
   * the disk of this machine does not take the file. The caller disposes of the file.
   */
  download(url: string, limits: DownloadLimits): Promise<Download>;
  /** Ends idle connections, after the downloads that are under way. */
  close(): Promise<void>;
}

const defaultSilenceMs = 10_000;
const maximumRedirects = 3;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Besides 5xx. 404 too: hosts of fresh files can lag behind the announcement. */
const passingStatuses: ReadonlySet<number> = new Set([404, 408, 425, 429]);

export function createDownloader(options: DownloaderOptions): Downloader {
  const { allowLoopback, timeoutMs, spool, silenceMs = defaultSilenceMs } = options;
  const isAllowed = (address: string): boolean =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: createGuardedLookup(isAllowed), timeout: silenceMs },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });

  function checked(text: string, base?: URL): URL {
    const url = URL.parse(text, base?.href);
    if (!url) throw refused('The result URL is not a URL');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isLoopbackHost = host === 'localhost' || isLoopbackAddress(host);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowLoopback && isLoopbackHost))
      throw refused(`A download from ${host} must use https`);
    if (url.username || url.password) throw refused(`A download from ${host} must not carry a login`);
    if (isIP(host) && !isAllowed(host)) throw refused(`The address ${host} is not public`);
    return url;
  }

  async function follow(
    start: URL,
    signal: AbortSignal,
  ): Promise<{ url: URL; response: Dispatcher.ResponseData }> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const response = await request(url, { dispatcher: agent, signal });
      if (!redirectStatuses.has(response.statusCode)) return { url, response };
      await response.body.dump();
      if (redirects === maximumRedirects) throw refused(`More than ${maximumRedirects} redirects`);
      const { location } = response.headers;
      if (typeof location !== 'string') throw failed(url, 'it redirects to nowhere');
      url = checked(location, url);
    }
  }

  async function read(url: URL, response: Dispatcher.ResponseData, maxBytes: number): Promise<SpooledFile> {
    const tooLarge = (): AppError =>
      refused(`The file of ${url.hostname} is larger than ${maxBytes} bytes`, { maxBytes });
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
      // That it ends early is what is wanted.
      response.body.on('error', () => undefined).destroy();
      throw tooLarge();
    }
    try {
      // What stops reading ends the response.
      return await spool.take(response.body, maxBytes);
    } catch (error) {
      throw error instanceof FileTooLarge ? tooLarge() : error;
    }
  }

  return {
    async download(text, { maxBytes }) {
      const start = checked(text);
      try {
        const { url, response } = await follow(start, AbortSignal.timeout(timeoutMs));
        if (response.statusCode !== 200) {
          await response.body.dump();
          throw failed(url, `HTTP status ${response.statusCode}`, {
            status: response.statusCode,
            retryable: response.statusCode >= 500 || passingStatuses.has(response.statusCode),
          });
        }
        const file = await read(url, response, maxBytes);
        if (file.sizeBytes === 0) {
          await file[Symbol.asyncDispose]();
          throw failed(url, 'the file is empty');
        }
        const mediaType = sniffMediaType(file.head) ?? announcedType(response.headers['content-type']);
        const { path, sizeBytes } = file;
        return { path, sizeBytes, mediaType, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
      } catch (error) {
        if (error instanceof AppError) throw error;
        throw failed(start, errorType(error), { cause: error });
      }
    },
    close: () => agent.close(),
  };
}

function announcedType(header: string | string[] | undefined): string {
  const [type = ''] = typeof header === 'string' ? header.split(';') : [];
  return /^[\w.+-]+\/[\w.+-]+$/.test(type.trim()) ? type.trim().toLowerCase() : 'application/octet-stream';
}

/** details `{maxBytes}` mark the one refusal that a larger limit would lift. */
function refused(message: string, details: { readonly maxBytes?: number } = {}): AppError {
  return new AppError({ code: 'DOWNLOAD_REFUSED', message, details });
}

function failed(
  url: URL,
  why: string,
  facts: { readonly status?: number; readonly retryable?: boolean; readonly cause?: unknown } = {},
): AppError {
  return new AppError({
    code: 'DOWNLOAD_FAILED',
    message: `The download from ${url.hostname} failed: ${why}`,
    cause: facts.cause,
    ...(facts.retryable === undefined ? {} : { retryable: facts.retryable }),
    ...(facts.status === undefined ? {} : { details: { status: facts.status } }),
  });
}
