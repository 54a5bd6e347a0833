/** Axes: where ticks stand, and how values become pixels. */

import { dateFormat } from "../base/format.ts";

/** A step of 1, 2 or 5 times a power of ten that gives at most `most` ticks over `span`. */
export function niceStep(span: number, most: number): number {
  if (!(span > 0)) return 1;
  const raw = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((step) => step * power >= raw * (1 - 1e-9)) ?? 10) * power;
}

/** Round values within a range. */
export function ticks(low: number, high: number, most: number): number[] {
  const step = niceStep(high - low, most);
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step + 0); // + 0 makes -0 to 0.
  return found;
}

export interface TimeTick {
  readonly at: number;
  /** What is enough to tell it from its neighbours. */
  readonly form: "year" | "month" | "day" | "hour";
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STEPS: [TimeTick["form"], number][] = [
  ["hour", HOUR],
  ["hour", 3 * HOUR],
  ["hour", 6 * HOUR],
  ["hour", 12 * HOUR],
  ["day", DAY],
  ["day", 2 * DAY],
  ["day", 7 * DAY],
  ["day", 14 * DAY],
  ["month", 31 * DAY],
  ["month", 92 * DAY],
  ["month", 184 * DAY],
  ["year", 366 * DAY],
];

/** How far the zone is ahead of UTC at a moment, in milliseconds. */
export function zoneOffset(at: number, zone: string | undefined): number {
  const parts = dateFormat("en-US", {
    ...(zone && { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(read("year"), read("month") - 1, read("day"), read("hour"), read("minute"), read("second"));
  return local - Math.floor(at / 1000) * 1000;
}

/** Ticks at full hours, days, months or years of the zone. */
export function timeTicks(from: number, to: number, most: number, zone: string | undefined): TimeTick[] {
  const raw = (to - from) / Math.max(1, most);
  const [form, step] = STEPS.find(([, length]) => length >= raw) ?? ["year", Math.ceil(raw / (366 * DAY)) * 366 * DAY];
  // Ticks are laid on the clock of the zone and moved back: a day begins at its midnight there.
  const back = (local: number): number => local - zoneOffset(local - zoneOffset(local, zone), zone);
  const start = from + zoneOffset(from, zone);
  const found: TimeTick[] = [];
  if (form === "hour" || form === "day") {
    const origin = step === 7 * DAY || step === 14 * DAY ? 4 * DAY : 0; // 1970-01-05 was a Monday.
    for (let local = Math.ceil((start - origin) / step) * step + origin; found.length <= most * 3; local += step) {
      const at = back(local);
      if (at > to) break;
      if (at >= from) found.push({ at, form });
    }
    return found;
  }
  const months = form === "year" ? 12 * Math.max(1, Math.round(step / (366 * DAY))) : Math.round(step / (30.7 * DAY));
  const first = new Date(start);
  let month = first.getUTCFullYear() * 12 + first.getUTCMonth();
  month = Math.ceil(month / months) * months;
  for (; found.length <= most * 3; month += months) {
    const at = back(Date.UTC(Math.floor(month / 12), month % 12, 1));
    if (at > to) break;
    if (at >= from) found.push({ at, form });
  }
  return found;
}

export function tickText(tick: TimeTick, locale: string, zone: string | undefined): string {
  const forms: Record<TimeTick["form"], Intl.DateTimeFormatOptions> = {
    year: { year: "numeric" },
    month: { year: "numeric", month: "short" },
    day: { month: "short", day: "numeric" },
    hour: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  };
  return dateFormat(locale, { ...forms[tick.form], ...(zone && { timeZone: zone }) }).format(tick.at);
}
