// The supplier's published pages, as text: all files of a folder, one page, or all pages that an index on the web
// links to. Nothing is left out silently: a page that cannot be had fails the whole, because its models would
// seem to be gone.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { AppError, errorType } from '../errors.ts';
import { UsageError } from './command.ts';

export interface Page {
  /** The address, or the path inside the folder. */
  readonly source: string;
  readonly text: string;
}

export interface Publication {
  readonly pages: readonly Page[];
  /** Whether these are all pages there are, so that a model without one is gone. */
  readonly complete: boolean;
}

const fileTypes = new Set(['.md', '.yaml', '.yml', '.json']);
const fetchTimeoutMs = 30_000;
const parallelFetches = 8;

/** `from` is a folder or an http(s) address. Throws UsageError or AppError DOWNLOAD_FAILED. */
export function readPages(from: string): Promise<Publication> {
  return /^https?:\/\//.test(from) ? readWeb(from) : readFolder(from);
}

/** Whether a text holds an OpenAPI document, alone or in a fenced block. */
export function isDescription(text: string): boolean {
  return /^\s*(\{\s*)?"?openapi"?\s*:/m.test(text);
}

async function readFolder(folder: string): Promise<Publication> {
  let names: string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    names = entries
      .filter(entry => entry.isFile() && fileTypes.has(extname(entry.name)))
      .map(entry => join(entry.parentPath, entry.name));
  } catch (cause) {
    throw new UsageError(`${folder} is no folder that can be read (${errorType(cause)})`);
  }
  const pages = await Promise.all(
    names.sort().map(async name => ({ source: relative(folder, name), text: await readFile(name, 'utf8') })),
  );
  return { pages: pages.filter(({ text }) => isDescription(text)), complete: true };
}

async function readWeb(address: string): Promise<Publication> {
  const first = { source: address, text: await fetchText(address) };
  if (isDescription(first.text)) return { pages: [first], complete: false };
  const addresses = linksOf(first);
  if (addresses.length === 0)
    throw new AppError({
      code: 'DOWNLOAD_FAILED',
      message: `${address} holds no OpenAPI document and links to no page that may.`,
    });
  const pages: Page[] = [];
  for (let start = 0; start < addresses.length; start += parallelFetches)
    pages.push(
      ...(await Promise.all(
        addresses
          .slice(start, start + parallelFetches)
          .map(async source => ({ source, text: await fetchText(source) })),
      )),
    );
  return { pages: pages.filter(({ text }) => isDescription(text)), complete: true };
}

/** Pages of the same site, in the language of the index: the supplier keeps the Chinese ones under /cn. */
function linksOf({ source, text }: Page): string[] {
  const { origin } = new URL(source);
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(
    ([, link = '']) => URL.parse(link, source) ?? [],
  );
  const pages = found.filter(
    url =>
      url.origin === origin && fileTypes.has(extname(url.pathname)) && !/^\/cn(\/|\.)/.test(url.pathname),
  );
  return [...new Set(pages.map(({ origin, pathname }) => origin + pathname))];
}

async function fetchText(address: string): Promise<string> {
  let said: string;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(fetchTimeoutMs) });
    if (response.ok) return await response.text();
    await response.body?.cancel();
    said = `status ${response.status}`;
  } catch (cause) {
    throw new AppError({
      code: 'DOWNLOAD_FAILED',
      message: `${address} could not be read (${errorType(cause)}).`,
      cause,
    });
  }
  throw new AppError({ code: 'DOWNLOAD_FAILED', message: `${address} could not be read (${said}).` });
}
