// A value that must never be printed. Whatever prints it (template strings, JSON, util.inspect, pino)
// gets a placeholder; only `reveal()` gives the value, so each use is found by searching for it.
import { inspect } from 'node:util';

const placeholder = '[secret]';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): string {
    return placeholder;
  }

  [inspect.custom](): string {
    return placeholder;
  }
}
