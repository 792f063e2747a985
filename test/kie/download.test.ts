import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createDownloader, type Downloader, type DownloaderOptions } from '../../src/kie/download.ts';
import { createSpool } from '../../src/kie/spool.ts';
import { closedUrl, type LoopbackServer, startLoopbackServer } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';

const limits = { maxBytes: 1000 };
const releases: (() => Promise<void>)[] = [];

async function serverOf(answer: RequestListener): Promise<LoopbackServer> {
  const server = await startLoopbackServer(answer);
  releases.push(() => server.stop());
  return server;
}

const spool = createSpool();
afterAll(() => spool.stop());

function downloaderOf(changes: Partial<DownloaderOptions> = {}): Downloader {
  const downloader = createDownloader({ allowLoopback: true, timeoutMs: 5_000, spool, ...changes });
  releases.push(() => downloader.close());
  return downloader;
}

afterEach(async () => {
  // First started, first stopped: a server that still holds a request must not keep the downloader open.
  for (const release of releases.splice(0)) await release();
});

describe('files', () => {
  test('the bytes, their number and the media type arrive as they are', async () => {
    const server = await serverOf((_request, response) =>
      response
        .writeHead(200, { 'content-type': 'Video/X-Odd; charset=binary' })
        .end(Buffer.from([0, 255, 10, 13])),
    );
    const { path, sizeBytes, mediaType } = await downloaderOf().download(`${server.url}/a.png`, limits);
    expect([...(await readFile(path))]).toEqual([0, 255, 10, 13]);
    expect(sizeBytes).toBe(4);
    expect(mediaType).toBe('video/x-odd');
  });

  test('the first bytes know the media type better than the host', async () => {
    const server = await serverOf((_request, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([0xff, 0xd8, 0xff, 0xe0])),
    );
    const { mediaType } = await downloaderOf().download(`${server.url}/a.png`, limits);
    expect(mediaType).toBe('image/jpeg');
  });

  test('a file without a usable media type is a stream of octets', async () => {
    const server = await serverOf((request, response) => {
      if (request.url === '/odd') response.setHeader('content-type', 'nonsense');
      response.end('x');
    });
    const downloader = downloaderOf();
    for (const path of ['/none', '/odd']) {
      const { mediaType } = await downloader.download(server.url + path, limits);
      expect(mediaType).toBe('application/octet-stream');
    }
  });

  test('each call has a limit of its own', async () => {
    const server = await serverOf((_request, response) => response.end('x'.repeat(1001)));
    const downloader = downloaderOf();
    const error = await rejectionOf(downloader.download(server.url, limits));
    expect(error.details).toEqual({ maxBytes: 1000 });
    await expect(downloader.download(server.url, { maxBytes: 1001 })).resolves.toMatchObject({
      sizeBytes: 1001,
    });
  });

  test('a file of exactly the greatest size is taken', async () => {
    const server = await serverOf((_request, response) => response.end('x'.repeat(1000)));
    const { sizeBytes } = await downloaderOf().download(server.url, limits);
    expect(sizeBytes).toBe(1000);
  });

  test.each([
    ['announces', (_request, response) => response.end('x'.repeat(1001))],
    [
      'does not announce',
      (_request, response) => {
        response.write('x'.repeat(600));
        response.end('x'.repeat(600));
      },
    ],
  ] satisfies [string, RequestListener][])(
    'a file that is too large and %s it is refused',
    async (_name, answer) => {
      const server = await serverOf(answer);
      const error = await rejectionOf(downloaderOf().download(server.url, limits));
      expect(error).toMatchObject({ code: 'DOWNLOAD_REFUSED', retryable: false });
    },
  );

  test('an endless file ends at the greatest size', async () => {
    const server = await serverOf((_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(500)));
        response.once('drain', pour);
      };
      pour();
    });
    expect((await rejectionOf(downloaderOf().download(server.url, limits))).code).toBe('DOWNLOAD_REFUSED');
  });

  test.each([
    [404, true],
    [429, true],
    [500, true],
    [403, false],
    [410, false],
    [206, false],
  ])('HTTP status %i fails, worth another try: %s', async (status, retryable) => {
    const server = await serverOf((_request, response) => response.writeHead(status).end('no'));
    const error = await rejectionOf(downloaderOf().download(server.url, limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable, details: { status } });
  });

  test('an empty file fails', async () => {
    const server = await serverOf((_request, response) => response.end());
    expect((await rejectionOf(downloaderOf().download(server.url, limits))).code).toBe('DOWNLOAD_FAILED');
  });

  test('a file that breaks off fails', async () => {
    const server = await serverOf((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const error = await rejectionOf(downloaderOf().download(server.url, limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable: true });
  });

  test('a host that does not listen fails', async () => {
    const error = await rejectionOf(downloaderOf().download(await closedUrl(), limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable: true });
  });

  test.each([
    ['before the head', () => {}],
    ['inside the body', (_request, response) => void response.write('first bytes')],
  ] satisfies [string, RequestListener][])(
    'the deadline ends a file that stalls %s',
    async (_name, answer) => {
      const server = await serverOf(answer);
      const error = await rejectionOf(downloaderOf({ timeoutMs: 150 }).download(server.url, limits));
      expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable: true });
      expect(error.message).toContain('TimeoutError');
    },
  );

  test('errors name the host and never the URL', async () => {
    const server = await serverOf((_request, response) => response.writeHead(500).end());
    const error = await rejectionOf(
      downloaderOf().download(`${server.url}/path-secret?signature=query-secret`, limits),
    );
    expect(error.message).toContain('127.0.0.1');
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/path-secret|query-secret/);
  });
});

describe('addresses', () => {
  test.each([
    'http://127.0.0.1/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://224.0.0.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a00:1]/',
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    'https://user:password@example.com/',
    'not a URL',
    '',
  ])('%s is refused without a request', async url => {
    const error = await rejectionOf(downloaderOf({ allowLoopback: false }).download(url, limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_REFUSED', retryable: false });
  });

  test('a name that resolves to loopback is refused where the connection would be made', async () => {
    const server = await serverOf((_request, response) => response.end('x'));
    const strict = downloaderOf({ allowLoopback: false });
    const error = await rejectionOf(strict.download(`https://localhost:${server.port}/`, limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_REFUSED', retryable: false });
    expect(server.connectionCount()).toBe(0);
  });

  test('allowing loopback allows nothing else', async () => {
    const downloader = downloaderOf();
    for (const url of [
      'http://10.0.0.1/',
      'https://10.0.0.1/',
      'http://example.com/',
      'https://[::ffff:7f00:1]/',
    ])
      expect((await rejectionOf(downloader.download(url, limits))).code).toBe('DOWNLOAD_REFUSED');
  });

  test('a loopback name is allowed where loopback is', async () => {
    const server = await serverOf((_request, response) => response.end('x'));
    const { path } = await downloaderOf().download(`http://localhost:${server.port}/`, limits);
    expect(await readFile(path, 'utf8')).toBe('x');
  });
});

describe('redirects', () => {
  /** Redirects /3 to /2 to /1 to /0, where the file is. */
  const staircase: RequestListener = (request, response) => {
    const step = Number(request.url?.slice(1));
    if (step === 0) response.end('arrived');
    else response.writeHead(302, { location: `/${step - 1}` }).end('go on');
  };

  test('three are followed, the fourth is refused', async () => {
    const server = await serverOf(staircase);
    const { path } = await downloaderOf().download(`${server.url}/3`, limits);
    expect(await readFile(path, 'utf8')).toBe('arrived');
    const error = await rejectionOf(downloaderOf().download(`${server.url}/4`, limits));
    expect(error).toMatchObject({ code: 'DOWNLOAD_REFUSED', retryable: false });
    expect(server.requestCount()).toBe(8);
  });

  test.each([
    'http://10.0.0.1/',
    'https://169.254.169.254/',
    'https://[::ffff:127.0.0.1]/',
    'http://example.com/',
    'file:///etc/passwd',
    'http://user:password@127.0.0.1/',
  ])('one that leads to %s is refused', async location => {
    const server = await serverOf((_request, response) => response.writeHead(307, { location }).end());
    expect((await rejectionOf(downloaderOf().download(server.url, limits))).code).toBe('DOWNLOAD_REFUSED');
  });

  test('one without a target fails', async () => {
    const server = await serverOf((_request, response) => response.writeHead(302).end());
    expect((await rejectionOf(downloaderOf().download(server.url, limits))).code).toBe('DOWNLOAD_FAILED');
  });
});
