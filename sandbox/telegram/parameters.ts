// Owns the reading of a call's arguments, which may have come as JSON, as a query string, as a form or as multipart:
// a number may be a string, an object may be its JSON text, and an empty argument counts as absent, as it does in the
// Bot API server. The fields of a nested object (an InputMedia) are read in the same way.
// It does not know which arguments a method has.
import { badRequest } from './api-error.ts';

/** One uploaded part of a multipart request. */
export interface UploadedFile {
  readonly fileName: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

export class Parameters {
  /** The arguments as they came, for the record of calls. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, UploadedFile>;

  constructor(
    values: Readonly<Record<string, unknown>>,
    files: ReadonlyMap<string, UploadedFile> = new Map(),
  ) {
    this.values = values;
    this.files = files;
  }

  has(name: string): boolean {
    const value = this.values[name];
    return value !== undefined && value !== null && value !== '';
  }

  /** The argument as text; '' when it is absent, JSON when it is an object. */
  text(name: string): string {
    const value = this.values[name];
    if (typeof value === 'string') return value;
    if (value === undefined || value === null) return '';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  /** The argument as text; 400 when it is absent or empty. */
  requiredText(name: string): string {
    const value = this.text(name);
    if (value === '') throw badRequest(`parameter "${name}" is required`);
    return value;
  }

  /** The argument as an integer clamped to the limits; `fallback` when it is absent, 0 when it is not a number. */
  integer(
    name: string,
    fallback: number,
    minimum = Number.MIN_SAFE_INTEGER,
    maximum = Number.MAX_SAFE_INTEGER,
  ): number {
    const value = this.has(name) ? Number.parseInt(this.text(name), 10) : fallback;
    return Math.min(maximum, Math.max(minimum, Number.isNaN(value) ? 0 : value));
  }

  flag(name: string): boolean {
    const value = this.text(name).trim().toLowerCase();
    return value === 'true' || value === 'yes' || value === '1';
  }

  /** The argument as an object or array; undefined when it is absent. `what` names it in the error for broken JSON. */
  json(name: string, what: string): unknown {
    if (!this.has(name)) return undefined;
    const value = this.values[name];
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      throw badRequest(`can't parse ${what} JSON object`);
    }
  }

  /** The same files seen from a nested object, whose fields can name them by `attach://`. */
  nested(values: Readonly<Record<string, unknown>>): Parameters {
    return new Parameters(values, this.files);
  }
}

/** Whether a value is a JSON object, which excludes null and arrays. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
