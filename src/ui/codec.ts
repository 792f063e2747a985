// Button data: `v1:<code>[:<argument>…]`, at most the 64 bytes that Telegram allows. The version lets a
// later release change the meaning of arguments and still tell an old button from a broken one.
import { AppError } from '../errors.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import { lengthOnly } from '../otel/redaction.ts';
import { type ArgsOf, type ButtonName, buttonId, buttons } from './registry.ts';

const version = 'v1';
const maxBytes = 64;

export type Decoded =
  | { readonly ok: true; readonly button: ButtonName; readonly args: readonly (string | number)[] }
  | {
      readonly ok: false;
      readonly reason: Extract<ReasonCode, 'UNKNOWN_CALLBACK' | 'CALLBACK_PARSE_ERROR' | 'EXPIRED_MESSAGE'>;
    };

const byCode = new Map<string, ButtonName>(
  (Object.keys(buttons) as ButtonName[]).map(name => [buttons[name].code, name]),
);

/** Throws AppError CALLBACK_DATA_TOO_LONG: a defect of the caller, found by the first render in a test. */
export function encodeButton<B extends ButtonName>(name: B, args: Readonly<ArgsOf<B>>): string {
  const data = [version, buttons[name].code, ...args].join(':');
  if (Buffer.byteLength(data) > maxBytes) {
    throw new AppError({
      code: 'CALLBACK_DATA_TOO_LONG',
      message: `The data of button ${name} has ${Buffer.byteLength(data)} bytes, Telegram allows ${maxBytes}`,
    });
  }
  return data;
}

/** Never throws: clients can send any data. The reason tells an older version of ours from what is not ours. */
export function decodeButton(data: string): Decoded {
  const [prefix = '', code = '', ...parts] = data.split(':');
  if (prefix !== version) {
    return { ok: false, reason: /^v\d+$/.test(prefix) ? 'EXPIRED_MESSAGE' : 'UNKNOWN_CALLBACK' };
  }
  const button = byCode.get(code);
  if (button === undefined) return { ok: false, reason: 'UNKNOWN_CALLBACK' };
  const parsed = buttons[button].args.safeParse(parts);
  if (!parsed.success) return { ok: false, reason: 'CALLBACK_PARSE_ERROR' };
  return { ok: true, button, args: parsed.data };
}

/** What may be told of button data, which a client can make up of any words: of what is not ours only the length. */
export function sanitizedData(data: string): string {
  if (decodeButton(data).ok) return data;
  const [prefix = '', code = '', ...parts] = data.split(':');
  return prefix === version && byCode.has(code)
    ? `${prefix}:${code}:${lengthOnly(parts.join(':'))}`
    : lengthOnly(data);
}

/** How telemetry names the button with this data. */
export function buttonIdOf(data = ''): string {
  const decoded = decodeButton(data);
  return decoded.ok ? buttonId(decoded.button, decoded.args) : 'UNKNOWN';
}
