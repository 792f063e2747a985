// Exact decimal numbers, for money: what is multiplied here is never a float, and is rounded where the caller says.
// Never negative: nothing that is counted with it can be.

/** `units` × 10^-`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Plain digits with at most one point. No sign, exponent, space or comma. */
const plainPattern = /^(\d{1,15})(?:\.(\d{1,15}))?$/;
/** As JavaScript prints a number, which may have an exponent. */
const numberPattern = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** What a person or a variable says, such as "92.5"; undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const [, whole, fraction = ''] = plainPattern.exec(text) ?? [];
  return whole === undefined ? undefined : { units: BigInt(whole + fraction), scale: fraction.length };
}

/** The decimal that the number is written as: 0.1 is a tenth. Undefined for what is negative or not finite. */
export function decimalOf(number: number): Decimal | undefined {
  const [, whole, fraction = '', exponent = '0'] = numberPattern.exec(String(number)) ?? [];
  if (whole === undefined) return undefined;
  const units = BigInt(whole + fraction);
  const scale = fraction.length - Number(exponent);
  return scale < 0 ? { units: units * 10n ** BigInt(-scale), scale: 0 } : { units, scale };
}

export function multiply(...factors: readonly Decimal[]): Decimal {
  return factors.reduce((product, factor) => ({
    units: product.units * factor.units,
    scale: product.scale + factor.scale,
  }));
}

/** The least multiple of 10^-`scale` that is not below `value`, in units of it. */
export function ceilTo(scale: number, value: Decimal): bigint {
  const excess = value.scale - scale;
  if (excess <= 0) return value.units * 10n ** BigInt(-excess);
  const divisor = 10n ** BigInt(excess);
  return (value.units + divisor - 1n) / divisor;
}
