// One POST of JSON that is answered with JSON, on undici's own dispatch interface. Its `request` makes a readable
// stream for every answer, which costs as much again as the call; an answer of the Bot API to a plain call is one
// piece of some hundred bytes.
import type { Dispatcher, Pool } from 'undici';
import { AppError } from '../errors.ts';

const headers = { 'content-type': 'application/json' };

/**
 * Resolves to the answer whatever its status; rejects where it is no JSON, and with AppError TIMEOUT where it is not
 * there whole after `timeoutMs`, the wait for a free connection included: TELEGRAM_NOT_ASKED where that was all of it.
 */
export function postJson(pool: Pool, path: string, body: string, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pool.dispatch({ method: 'POST', path, headers, body }, new Answer(resolve, reject, timeoutMs));
  });
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #timeout: Error | undefined;

  constructor(resolve: (answer: unknown) => void, reject: (error: unknown) => void, timeoutMs: number) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => {
      this.#timeout = new AppError(
        this.#controller
          ? { code: 'TIMEOUT', message: `No answer within ${Math.round(timeoutMs)} ms` }
          : {
              code: 'TELEGRAM_NOT_ASKED',
              message: `No connection was free within ${Math.round(timeoutMs)} ms`,
            },
      );
      reject(this.#timeout);
      this.#controller?.abort(this.#timeout);
    }, timeoutMs);
  }

  /** Only here there is something to abort: before, the request waits for a connection. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#timeout) controller.abort(this.#timeout);
  }

  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    const [first] = this.#chunks;
    const whole = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    try {
      this.#resolve(JSON.parse(whole.toString()));
    } catch (error) {
      this.#reject(error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer);
    this.#reject(error);
  }
}
