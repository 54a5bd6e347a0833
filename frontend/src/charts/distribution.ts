/** `<div data-component="distribution" data-src="…">`: how values lie around a figure, near misses above all. */

import { type Decimal, compare, forDrawing, readDecimal, text as decimalText } from "../base/decimal.ts";
import { button, freshId, html, svg } from "../base/dom.ts";
import { amount } from "../base/format.ts";
import { ownAddress } from "../base/http.ts";
import { type Say, localeOf, sayFor } from "../base/messages.ts";
import { drawAtWidth, load, roving, tableBelow } from "./chart.ts";
import { niceStep, ticks } from "./scale.ts";
import { TEXTS, type Text } from "./texts.ts";

export type Comparator = ">=" | ">" | "<=" | "<";

export interface Spread {
  readonly unit: string;
  readonly figure: Decimal | null;
  readonly comparator: Comparator;
  readonly basis: string;
  readonly label: string;
  /** In order. */
  readonly values: readonly Decimal[];
  /** Values that could not be read. */
  readonly left: number;
  /** A template with {from} and {to}: the events behind a bar. */
  readonly href: string;
}

export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of these, how many reach the figure. A bar never lies on both sides of it. */
  readonly reached: number;
}

const SIGNS: Record<Comparator, string> = { ">=": "≥", ">": ">", "<=": "≤", "<": "<" };
const HEIGHT = 240;
const FOOT = 28;
const HEAD = 40;

export function readSpread(sent: unknown): Spread {
  const given = (sent ?? {}) as Record<string, unknown>;
  const word = (name: string): string => (typeof given[name] === "string" ? (given[name] as string) : "");
  const list = Array.isArray(given["values"]) ? given["values"] : [];
  const values = list.map((value) => readDecimal(String(value))).filter((value) => value !== null);
  const comparator = ([">=", ">", "<=", "<"] as const).find((each) => each === given["comparator"]) ?? ">=";
  return {
    unit: word("unit"),
    figure: given["figure"] === undefined || given["figure"] === null ? null : readDecimal(String(given["figure"])),
    comparator,
    basis: word("basis"),
    label: word("label"),
    values: values.sort(compare),
    left: list.length - values.length,
    href: word("href"),
  };
}

export function reaches(value: Decimal, figure: Decimal, comparator: Comparator): boolean {
  const order = compare(value, figure);
  return comparator === ">=" ? order >= 0 : comparator === ">" ? order > 0 : comparator === "<=" ? order <= 0 : order < 0;
}

/** How many reach a figure: exact, since it is what somebody will decide by. */
export function countReached(values: readonly Decimal[], figure: Decimal, comparator: Comparator): number {
  return values.reduce((count, value) => count + (reaches(value, figure, comparator) ? 1 : 0), 0);
}

/** Bars of one width, laid so that the figure is an edge between two of them. */
export function bars({ values, figure, comparator }: Spread, most: number): Bar[] {
  const numbers = values.map(forDrawing);
  const anchor = figure ? forDrawing(figure) : 0;
  const low = Math.min(...numbers, ...(figure ? [anchor] : []));
  const high = Math.max(...numbers, ...(figure ? [anchor] : []));
  if (!Number.isFinite(low)) return [];
  const step = high > low ? niceStep(high - low, most) : Math.max(1, Math.abs(high) / 10);
  const place = (i: number): number => {
    const at = ((numbers[i] as number) - anchor) / step;
    const near = Math.round(at);
    const bar = Math.abs(at - near) < 1e-9 ? near : Math.floor(at);
    if (!figure) return bar;
    // On which side of the figure it lies is decided exactly; what equals it, by the comparator.
    const reached = reaches(values[i] as Decimal, figure, comparator);
    return reached === (comparator === ">=" || comparator === ">") ? Math.max(0, bar) : Math.min(-1, bar);
  };
  const counts = new Map<number, { count: number; reached: number }>();
  numbers.forEach((_, i) => {
    const held = counts.get(place(i)) ?? { count: 0, reached: 0 };
    held.count++;
    if (figure && reaches(values[i] as Decimal, figure, comparator)) held.reached++;
    counts.set(place(i), held);
  });
  const first = Math.min(...counts.keys(), ...(figure ? [-1] : []));
  const last = Math.max(...counts.keys(), ...(figure ? [0] : []));
  const found: Bar[] = [];
  for (let i = first; i <= last; i++) {
    found.push({ from: anchor + i * step, to: anchor + (i + 1) * step, ...(counts.get(i) ?? { count: 0, reached: 0 }) });
  }
  return found;
}

class Distribution {
  private readonly say: Say<Text>;
  private readonly locale: string;
  private readonly spread: Spread;
  private readonly svg: SVGSVGElement;
  private readonly frame = html("div", { class: "rt-chart" });
  private readonly said = html("p", { role: "status" });
  private tried: Decimal | null = null;
  private width = 0;

  constructor(element: HTMLElement, sent: unknown) {
    this.say = sayFor(element, TEXTS);
    this.locale = localeOf(element);
    this.spread = readSpread(sent);
    const title = element.getAttribute("aria-label") ?? (this.spread.label || this.say("distribution_title"));
    this.svg = svg("svg", { class: "rt-distribution", role: "group", "aria-label": `${title}. ${this.say("distribution_help")}` });
    this.frame.append(this.svg);
    if (this.spread.values.length === 0) {
      element.prepend(html("p", {}, this.say("distribution_empty")));
      return;
    }
    const table = tableBelow(this.say, title, ["distribution_from", "distribution_to", "distribution_count"], () =>
      this.bars().map((bar) => [this.number(bar.from), this.number(bar.to), String(bar.count)]),
    );
    element.prepend(html("div", { class: "rt-part" }, this.frame, this.summary(), this.whatIf(), table));
    roving(this.svg, () => [...this.svg.querySelectorAll<SVGElement>(".rt-bar")]);
    drawAtWidth(this.frame, (width) => {
      this.width = width;
      this.draw();
    });
  }

  private bars(): Bar[] {
    return bars(this.spread, Math.max(6, Math.min(40, Math.floor(this.width / 22))));
  }

  private number(value: number): string {
    // Edges of bars are for reading; digits beyond their step would be noise of binary fractions.
    const shown = new Intl.NumberFormat(this.locale, { maximumSignificantDigits: 12 }).format(value);
    return this.spread.unit ? `${this.spread.unit}\u00a0${shown}` : shown;
  }

  private money(value: Decimal): string {
    return amount(decimalText(value), this.spread.unit || undefined, this.locale);
  }

  private summary(): HTMLElement {
    const { figure, basis, values, comparator, left } = this.spread;
    const parts: string[] = [];
    if (figure) {
      const value = `${SIGNS[comparator]} ${this.money(figure)}${basis === "default" ? ` (${this.say("distribution_default")})` : ""}`;
      parts.push(this.say("distribution_figure", { value }));
      parts.push(this.say("distribution_reached", { reached: countReached(values, figure, comparator), total: values.length }));
    }
    if (left > 0) parts.push(this.say("distribution_left", { count: left }));
    return html("p", {}, parts.join(" · "));
  }

  /** A field to try another figure; nothing is changed by it but this drawing. */
  private whatIf(): HTMLElement | null {
    const { figure, values, comparator } = this.spread;
    if (!figure) return null;
    const id = freshId("rt-what-if");
    const field = html("input", { id, type: "text", inputmode: "decimal", value: decimalText(figure), size: 14, autocomplete: "off" });
    const reset = button(this.say("distribution_reset"), () => {
      field.value = decimalText(figure);
      change();
      field.focus();
    }, { class: "rt-button" });
    const change = (): void => {
      const value = readDecimal(field.value.replaceAll(/[,\s\u00a0]/g, ""));
      field.setAttribute("aria-invalid", String(value === null));
      this.tried = value && compare(value, figure) !== 0 ? value : null;
      if (this.tried) {
        const [now, then] = [countReached(values, figure, comparator), countReached(values, this.tried, comparator)];
        const difference = new Intl.NumberFormat(this.locale, { signDisplay: "exceptZero" }).format(then - now);
        this.said.textContent = this.say("distribution_then", { reached: then, total: values.length, difference });
      } else this.said.textContent = "";
      this.draw();
    };
    field.addEventListener("input", change);
    return html("div", { class: "rt-net-tools" }, html("label", { for: id }, this.say("distribution_what_if")), field, reset, this.said);
  }

  private draw(): void {
    const { figure, comparator } = this.spread;
    const all = this.bars();
    const [low, high] = [all[0]?.from ?? 0, all[all.length - 1]?.to ?? 1];
    const most = Math.max(1, ...all.map((bar) => bar.count));
    const left = 16 + String(most).length * 8;
    const x = (value: number): number => left + ((value - low) / (high - low)) * (this.width - left - 10);
    const y = (count: number): number => HEIGHT - FOOT - (count / most) * (HEIGHT - FOOT - HEAD);
    for (const [name, value] of Object.entries({ width: this.width, height: HEIGHT, viewBox: `0 0 ${this.width} ${HEIGHT}` })) this.svg.setAttribute(name, String(value));
    this.svg.replaceChildren();
    for (const tick of ticks(0, most, 4).filter((each) => Number.isInteger(each))) {
      this.svg.append(
        svg("line", { class: "rt-grid", x1: left, x2: this.width - 10, y1: y(tick), y2: y(tick) }),
        svg("text", { class: "rt-tick", x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, new Intl.NumberFormat(this.locale).format(tick)),
      );
    }
    const compact = new Intl.NumberFormat(this.locale, { notation: "compact", maximumSignificantDigits: 4 });
    for (const tick of ticks(low, high, Math.max(2, Math.floor(this.width / 90)))) {
      this.svg.append(svg("text", { class: "rt-tick", x: x(tick), y: HEIGHT - 8, "text-anchor": "middle" }, compact.format(tick)));
    }
    const filled = all.filter((bar) => bar.count > 0);
    filled.forEach((bar, i) => this.svg.append(this.drawBar(bar, x, y, i === 0)));
    if (figure) this.drawFigure(figure, comparator, x, low, high, "rt-figure");
    if (this.tried) this.drawFigure(this.tried, comparator, x, low, high, "rt-figure rt-figure-tried");
  }

  private drawBar(bar: Bar, x: (value: number) => number, y: (count: number) => number, first: boolean): SVGElement {
    const said = this.say("distribution_bar", { from: this.number(bar.from), to: this.number(bar.to), count: bar.count });
    const { href } = this.spread;
    const filled = href && ownAddress(href.replaceAll("{from}", encodeURIComponent(bar.from)).replaceAll("{to}", encodeURIComponent(bar.to)));
    const mark = filled ? svg("a", { href: filled }) : svg("g", { role: "img" });
    const side = this.spread.figure === null ? "plain" : bar.reached > 0 ? "reached" : "short";
    for (const [name, value] of Object.entries({ class: "rt-bar", "data-side": side, tabindex: first ? 0 : -1, "aria-label": said })) mark.setAttribute(name, String(value));
    const top = Math.min(y(bar.count), HEIGHT - FOOT - 1.5);
    mark.append(svg("rect", { x: x(bar.from) + 0.75, y: top, width: Math.max(1, x(bar.to) - x(bar.from) - 1.5), height: HEIGHT - FOOT - top }), svg("title", {}, said));
    return mark;
  }

  private drawFigure(figure: Decimal, comparator: Comparator, x: (value: number) => number, low: number, high: number, name: string): void {
    const at = forDrawing(figure);
    if (at < low || at > high) return;
    const side = x(at) > this.width / 2 ? "end" : "start";
    this.svg.append(
      svg(
        "g",
        { class: name, "aria-hidden": true },
        svg("line", { x1: x(at), x2: x(at), y1: 4, y2: HEIGHT - FOOT }),
        svg("text", { x: x(at) + (side === "end" ? -6 : 6), y: name.includes("tried") ? 32 : 14, "text-anchor": side }, `${SIGNS[comparator]} ${this.money(figure)}`),
      ),
    );
  }
}

export async function start(element: HTMLElement): Promise<void> {
  new Distribution(element, await load(element));
}
