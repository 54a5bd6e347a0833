/** Amounts, times and counts as the page's language writes them. */

import { readDecimal } from "./decimal.ts";

/** Making a formatter costs far more than using it, and a drawing has hundreds of amounts and times. */
function kept<F>(make: (locale: string, options: object) => F): (locale: string, options?: object) => F {
  const made = new Map<string, F>();
  return (locale, options = {}) => {
    const key = locale + JSON.stringify(options);
    let found = made.get(key);
    if (!found) made.set(key, (found = make(locale, options)));
    return found;
  };
}

export const numberFormat = kept((locale, options) => new Intl.NumberFormat(locale, options));
export const dateFormat = kept((locale, options) => new Intl.DateTimeFormat(locale, options));
export const pluralRules = kept((locale) => new Intl.PluralRules(locale));

/** `CNY 1,234.50`: digits exactly as given, grouped; text that is no number stays as it is. */
export function amount(value: string, currency: string | undefined, locale: string): string {
  const decimal = readDecimal(value);
  let shown = value;
  if (decimal) {
    const digits = { minimumFractionDigits: decimal.scale, maximumFractionDigits: decimal.scale };
    shown = numberFormat(locale, digits).format(value.trim() as `${number}`);
  }
  return currency ? `${currency}\u00a0${shown}` : shown;
}

/** Milliseconds since 1970, or NaN. A day without a time is the start of that day in UTC. */
export function instant(value: string): number {
  return Date.parse(value);
}

/** The zone that the page asks for, else the viewer's own. */
export function zoneOf(element: Element): string | undefined {
  const zone = element.closest("[data-time-zone]")?.getAttribute("data-time-zone");
  if (!zone) return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return undefined;
  }
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day, or a day with its time and zone. Days alone are never shifted by a zone. */
export function when(value: string, locale: string, zone: string | undefined): string {
  const at = instant(value);
  if (Number.isNaN(at)) return value;
  const options: Intl.DateTimeFormatOptions = DAY.test(value)
    ? { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" }
    : { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  if (zone && !options.timeZone) options.timeZone = zone;
  return dateFormat(locale, options).format(at);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 hours ago", "in 2 days"; below a minute "now". */
export function relative(at: number, now: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const seconds = Math.trunc((at - now) / 1000);
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  }
  return format.format(0, "second");
}

/** At most `length` signs, whole ones, with an ellipsis where something was cut. */
export function shortened(text: string, length: number): string {
  const signs = [...text.slice(0, length * 4)];
  return signs.length <= length && text.length <= length * 4 ? text : `${signs.slice(0, length - 1).join("")}…`;
}
