// Fetches result files. Their URLs come from outside, so they are treated as hostile: only https to public
// addresses, checked where the connection is made, redirects followed by hand under the same rules, the
// size counted while it streams, one deadline for everything. Errors name the host, never the URL: result
// URLs can be signed. The file is held in memory; `maxBytes` is the bound. What it is, its bytes decide.
import { isIP } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { AppError, errorType } from '../errors.ts';
import { createGuardedLookup } from './guarded-lookup.ts';
import { sniffMediaType } from './media-type.ts';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';

export interface DownloaderOptions {
  /** For the sandbox: loopback hosts are allowed, and http for them. */
  readonly allowLoopback: boolean;
  /** From the call to the last byte, redirects included. */
  readonly timeoutMs: number;
}

export interface Download {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  /**
   * What the first bytes show, else what the host says; lower case, without parameters;
   * application/octet-stream when neither tells.
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
   * (trying again is useless), DOWNLOAD_FAILED when the host or the network failed (`retryable` tells).
   */
  download(url: string, limits: DownloadLimits): Promise<Download>;
  /** Ends idle connections, after the downloads that are under way. */
  close(): Promise<void>;
}

const maximumRedirects = 3;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Besides 5xx. 404 too: hosts of fresh files can lag behind the announcement. */
const passingStatuses: ReadonlySet<number> = new Set([404, 408, 425, 429]);

export function createDownloader(options: DownloaderOptions): Downloader {
  const { allowLoopback, timeoutMs } = options;
  const isAllowed = (address: string): boolean =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: createGuardedLookup(isAllowed) },
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

  async function read(url: URL, response: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
    const announced = Number(response.headers['content-length'] ?? 0);
    const chunks: Buffer[] = [];
    let size = 0;
    // Leaving the loop ends the response.
    for await (const chunk of response.body) {
      size += chunk.length;
      if (Math.max(size, announced) > maxBytes)
        throw refused(`The file of ${url.hostname} is larger than ${maxBytes} bytes`, { maxBytes });
      chunks.push(chunk);
    }
    if (size === 0) throw failed(url, 'the file is empty');
    return Buffer.concat(chunks, size);
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
        const bytes = await read(url, response, maxBytes);
        const mediaType = sniffMediaType(bytes) ?? announcedType(response.headers['content-type']);
        return { bytes, sizeBytes: bytes.length, mediaType };
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

/** details `{maxBytes}` tell the one refusal that a larger limit would lift. */
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
