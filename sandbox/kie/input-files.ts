// Fetches the files that an order or an upload names, as KIE does: an address that does not answer with a file of
// the right kind is refused. Loopback only: every other address counts as unreachable and is not tried.
import { Agent, request } from 'undici';
import type { Refusal } from './answers.ts';
import { isLoopbackUrl } from './callbacks.ts';
import type { OrderedFile } from './order-check.ts';

export interface InputFile {
  /** An empty text where it is not given. */
  readonly contentType: string;
  readonly bytes: Buffer;
}

export interface InputFiles {
  /** Undefined where there is no such file. */
  read(url: string): Promise<InputFile | undefined>;
  /** The first thing that is wrong: 451 for what cannot be fetched, 422 for a file of another kind. */
  findProblem(files: readonly OrderedFile[]): Promise<Refusal | undefined>;
  /** Ends what is being fetched. */
  stop(): Promise<void>;
}

const fetchTimeoutMs = 5_000;

export function createInputFiles(): InputFiles {
  const agent = new Agent();

  async function read(url: string): Promise<InputFile | undefined> {
    if (!isLoopbackUrl(url)) return undefined;
    try {
      const signal = AbortSignal.timeout(fetchTimeoutMs);
      const { statusCode, headers, body } = await request(url, { dispatcher: agent, signal });
      const bytes = Buffer.from(await body.arrayBuffer());
      return statusCode === 200 ? { contentType: String(headers['content-type'] ?? ''), bytes } : undefined;
    } catch {
      // Whatever went wrong, the answer is the same: the file could not be fetched.
      return undefined;
    }
  }

  async function problemOf({ parameter, kind, url }: OrderedFile): Promise<Refusal | undefined> {
    const file = await read(url);
    if (!file) return { code: 451, text: `${parameter}: the file could not be fetched` };
    const [, mediaKind] = /^(image|video|audio)\//.exec(file.contentType) ?? [];
    // Servers that do not know what they hold say application/octet-stream or nothing.
    if (mediaKind === undefined || mediaKind === kind) return undefined;
    return { code: 422, text: `${parameter}: ${file.contentType} is no ${kind} file` };
  }

  return {
    read,
    async findProblem(files) {
      const problems = await Promise.all(files.map(problemOf));
      return problems.find(problem => problem !== undefined);
    },
    stop: () => agent.destroy(),
  };
}
