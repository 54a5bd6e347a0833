/** Exact decimal numbers from text: money never passes through binary floating point. */

export interface Decimal {
  /** The digits as a whole number; the value is `digits / 10 ** scale`. */
  readonly digits: bigint;
  readonly scale: number;
}

const FORM = /^([+-]?)(\d{1,40})(?:\.(\d{1,20}))?$/;

/** Reads `-1234.50`; null for anything else (exponents, separators, empty text). */
export function readDecimal(text: string): Decimal | null {
  const match = FORM.exec(text.trim());
  if (!match) return null;
  const [, sign, whole = "", part = ""] = match;
  const digits = BigInt(whole + part);
  return { digits: sign === "-" ? -digits : digits, scale: part.length };
}

function atScale(value: Decimal, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: atScale(a, scale) + atScale(b, scale), scale };
}

/** Negative, 0 or positive, as for sorting. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [atScale(a, scale), atScale(b, scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export function text(value: Decimal): string {
  const minus = value.digits < 0n ? "-" : "";
  const digits = (value.digits < 0n ? -value.digits : value.digits).toString().padStart(value.scale + 1, "0");
  const whole = digits.slice(0, digits.length - value.scale);
  return minus + whole + (value.scale ? `.${digits.slice(-value.scale)}` : "");
}

/** As near as a drawing needs it; never for a decision. */
export function forDrawing(value: Decimal): number {
  return Number(text(value));
}
