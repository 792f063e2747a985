// One POST of JSON that is answered with JSON, on undici's own dispatch interface. Its `request` makes a readable
// stream for every answer, which costs as much again as the call; an answer of the Bot API to a plain call is one
// piece of some hundred bytes.
import type { Dispatcher, Pool } from 'undici';

const headers = { 'content-type': 'application/json' };

/** Resolves to the answer whatever its status; rejects where there was none, or it is no JSON. */
export function postJson(pool: Pool, path: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pool.dispatch({ method: 'POST', path, headers, body }, new Answer(resolve, reject));
  });
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];

  constructor(resolve: (answer: unknown) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** undici asks for it of every handler. */
  onRequestStart(): void {}

  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const whole = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    try {
      this.#resolve(JSON.parse(whole.toString()));
    } catch (error) {
      this.#reject(error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
