/** `<div data-component="timeline" data-src="…">`: what happened when, in lanes, with deadlines. */

import { button, html, svg } from "../base/dom.ts";
import { amount, instant, shortened, when, zoneOf } from "../base/format.ts";
import { ownAddress } from "../base/http.ts";
import { type Say, localeOf, sayFor } from "../base/messages.ts";
import { widthOf } from "../network/labels.ts";
import { drawAtWidth, load, roving, tableBelow } from "./chart.ts";
import { tickText, timeTicks } from "./scale.ts";
import { TEXTS, type Text } from "./texts.ts";

export interface Item {
  readonly id: string;
  readonly time: string;
  readonly end?: string;
  readonly label: string;
  readonly kind: string;
  readonly lane: string;
  readonly href?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly at: number;
}

export interface Mark {
  readonly at: number;
  readonly label: string;
  readonly kind: string;
}

/** Entries that lie too near each other to be told apart, as one. */
export interface Group {
  readonly items: readonly Item[];
  readonly x: number;
}

interface Data {
  items: Item[];
  marks: Mark[];
  lanes: string[];
}

const LANE = 44;
const TOP = 22;
const LEFT_MOST = 180;
const RADIUS = 7;
/** Nobody needs to see less than a minute. */
const SPAN_LEAST = 60_000;

export function readTimeline(sent: unknown, now: string): Data {
  const given = (sent ?? {}) as { items?: unknown; marks?: unknown; lanes?: unknown; now?: unknown };
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const items: Item[] = [];
  for (const entry of Array.isArray(given.items) ? (given.items as Record<string, unknown>[]) : []) {
    const at = instant(text(entry["time"]));
    if (Number.isNaN(at)) continue;
    const optional = Object.fromEntries(["end", "href", "amount", "currency"].map((name) => [name, text(entry[name])]).filter(([, value]) => value));
    items.push({ id: text(entry["id"]), time: text(entry["time"]), label: text(entry["label"]), kind: text(entry["kind"]), lane: text(entry["lane"]), at, ...optional });
  }
  items.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const marks: Mark[] = [];
  for (const entry of Array.isArray(given.marks) ? (given.marks as Record<string, unknown>[]) : []) {
    const at = instant(text(entry["time"]));
    if (!Number.isNaN(at)) marks.push({ at, label: text(entry["label"]), kind: text(entry["kind"]) });
  }
  // The present is what the server says it is.
  const present = instant(text(given.now));
  if (!Number.isNaN(present)) marks.push({ at: present, label: now, kind: "now" });
  const named = Array.isArray(given.lanes) ? given.lanes.filter((lane) => typeof lane === "string") : [];
  return { items, marks: marks.sort((a, b) => a.at - b.at), lanes: [...new Set([...named, ...items.map((item) => item.lane)])] };
}

/** Neighbours nearer than `least` pixels come together, from left to right, at the place of their first. */
export function grouped(items: readonly Item[], x: (at: number) => number, least: number): Group[] {
  const groups: { items: Item[]; x: number }[] = [];
  for (const item of items) {
    const last = groups[groups.length - 1];
    const at = x(item.at);
    if (last && at - last.x < least) last.items.push(item);
    else groups.push({ items: [item], x: at });
  }
  return groups;
}

class Timeline {
  private readonly say: Say<Text>;
  private readonly locale: string;
  private readonly zone: string | undefined;
  private readonly data: Data;
  private readonly frame = html("div", { class: "rt-chart" });
  private readonly svg: SVGSVGElement;
  private readonly all: HTMLButtonElement;
  private readonly whole: readonly [number, number];
  private range: readonly [number, number];
  private width = 0;

  constructor(element: HTMLElement, sent: unknown) {
    this.say = sayFor(element, TEXTS);
    this.locale = localeOf(element);
    this.zone = zoneOf(element);
    this.data = readTimeline(sent, this.say("timeline_now"));
    const { items, marks } = this.data;
    const times = [...items.flatMap((item) => (item.end ? [item.at, instant(item.end)] : [item.at])), ...marks.map((mark) => mark.at)].filter((at) => !Number.isNaN(at));
    const [low, high] = [Math.min(...times), Math.max(...times)];
    const margin = Math.max((high - low) * 0.03, SPAN_LEAST);
    this.whole = this.range = [low - margin, high + margin];
    const title = element.getAttribute("aria-label") ?? this.say("timeline_title");
    this.svg = svg("svg", { class: "rt-timeline", role: "group", "aria-label": `${title}. ${this.say("timeline_help")}` });
    this.all = button(this.say("timeline_all"), () => this.look(this.whole), { class: "rt-button", hidden: true });
    this.frame.append(this.svg);
    const table = tableBelow(this.say, title, ["timeline_time", "timeline_lane", "timeline_label"], () => items.map((item) => [this.when(item.time), item.lane, this.words(item)]));
    const parts = items.length === 0 ? [html("p", {}, this.say("timeline_empty"))] : [this.frame, this.all, table];
    element.prepend(html("div", { class: items.length === 0 ? null : "rt-part" }, ...parts));
    if (items.length === 0) return;
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
    roving(this.svg, () => [...this.svg.querySelectorAll<SVGElement>(".rt-time-item")]);
    drawAtWidth(this.frame, (width) => {
      this.width = width;
      this.draw();
    });
  }

  private when(time: string): string {
    return when(time, this.locale, this.zone);
  }

  private words(item: Item): string {
    return [item.label, item.amount && amount(item.amount, item.currency, this.locale)].filter(Boolean).join(" · ");
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else if (event.key === "0" || event.key === "Escape") this.look(this.whole);
    else return;
    event.preventDefault();
  }

  /** Around the entry in focus, else around the middle. */
  private zoom(factor: number): void {
    const [from, to] = this.range;
    const focused = this.svg.querySelector<SVGElement>(".rt-time-item:focus")?.dataset["at"];
    const middle = focused === undefined ? (from + to) / 2 : Number(focused);
    const half = Math.max(((to - from) / 2) * factor, SPAN_LEAST);
    this.look([Math.max(this.whole[0], middle - half), Math.min(this.whole[1], middle + half)]);
  }

  private look(range: readonly [number, number]): void {
    this.range = range;
    const focused = this.svg.contains(document.activeElement) ? Number((document.activeElement as SVGElement).dataset["at"]) : null;
    this.draw();
    this.all.hidden = range[0] === this.whole[0] && range[1] === this.whole[1];
    if (focused === null) return;
    // The nearest entry takes the focus: drawing anew must not lose the place.
    const marks = [...this.svg.querySelectorAll<SVGElement>(".rt-time-item")];
    const far = (mark: SVGElement): number => Math.abs(Number(mark.dataset["at"]) - focused);
    const nearest = marks.reduce<SVGElement | null>((best, mark) => (best === null || far(mark) < far(best) ? mark : best), null);
    for (const mark of marks) mark.setAttribute("tabindex", mark === nearest ? "0" : "-1");
    nearest?.focus();
  }

  private draw(): void {
    const { lanes, items, marks } = this.data;
    const [from, to] = this.range;
    const named = lanes.some((lane) => lane !== "");
    const left = named ? Math.min(LEFT_MOST, this.width * 0.3, Math.max(...lanes.map((lane) => widthOf(lane) * 13)) + 12) : 8;
    const x = (at: number): number => left + ((at - from) / (to - from)) * (this.width - left - 12);
    const height = TOP + lanes.length * LANE + 24;
    this.svg.setAttribute("width", String(this.width));
    this.svg.setAttribute("height", String(height));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.replaceChildren();
    for (const tick of timeTicks(from, to, Math.max(2, Math.floor((this.width - left) / 110)), this.zone)) {
      this.svg.append(
        svg("line", { class: "rt-grid", x1: x(tick.at), x2: x(tick.at), y1: TOP, y2: height - 20 }),
        svg("text", { class: "rt-tick", x: x(tick.at), y: height - 6, "text-anchor": "middle" }, tickText(tick, this.locale, this.zone)),
      );
    }
    lanes.forEach((lane, i) => {
      const y = TOP + i * LANE + LANE / 2;
      this.svg.append(svg("line", { class: "rt-lane", x1: left, x2: this.width - 8, y1: y, y2: y }));
      if (lane) this.svg.append(svg("text", { class: "rt-lane-name", x: 0, y: y + 4 }, shortened(lane, Math.floor(left / 8)), svg("title", {}, lane)));
    });
    let free = -Infinity;
    for (const mark of marks.filter(({ at }) => at >= from && at <= to)) {
      const at = x(mark.at);
      const half = (widthOf(mark.label) * 11) / 2;
      const text = Math.min(Math.max(at, half), this.width - half);
      const line = svg("g", { class: "rt-time-mark", "data-kind": mark.kind }, svg("line", { x1: at, x2: at, y1: TOP - 4, y2: height - 20 }));
      line.append(svg("title", {}, `${mark.label} · ${this.when(new Date(mark.at).toISOString())}`));
      if (text - half > free) {
        line.append(svg("text", { x: text, y: 12, "text-anchor": "middle" }, mark.label));
        free = text + half + 6;
      }
      this.svg.append(line);
    }
    const seen = items.filter((item) => item.at <= to && (item.end ? instant(item.end) : item.at) >= from);
    const drawn: SVGElement[] = [];
    lanes.forEach((lane, i) => {
      const y = TOP + i * LANE + LANE / 2;
      const mine = seen.filter((item) => item.lane === lane);
      for (const item of mine.filter((each) => each.end)) this.drawSpan(item, x, y);
      for (const group of grouped(mine.filter(({ at }) => at >= from), x, 2 * RADIUS + 7)) drawn.push(this.drawGroup(group, y));
    });
    drawn.sort((a, b) => Number(a.dataset["at"]) - Number(b.dataset["at"]));
    drawn.forEach((mark, i) => {
      mark.setAttribute("tabindex", i === 0 ? "0" : "-1");
      this.svg.append(mark);
    });
  }

  private drawSpan(item: Item, x: (at: number) => number, y: number): void {
    const [start, end] = [Math.max(x(item.at), x(this.range[0])), Math.min(x(instant(item.end ?? item.time)), x(this.range[1]))];
    this.svg.append(svg("rect", { class: "rt-time-span", "data-kind": item.kind, x: start, y: y - 4, width: Math.max(1, end - start), height: 8, rx: 4 }));
  }

  private drawGroup({ items, x }: Group, y: number): SVGElement {
    const [first, last] = [items[0] as Item, items[items.length - 1] as Item];
    const many = items.length > 1;
    const span = [first.time, last.end ?? first.end].filter((time) => time !== undefined).map((time) => this.when(time as string));
    const said = many
      ? this.say("timeline_many", { count: items.length, from: this.when(first.time), to: this.when(last.time) })
      : [span.join(" – "), first.lane, this.words(first)].filter(Boolean).join(" · ");
    const href = !many && first.href ? ownAddress(first.href) : null;
    const mark = href ? svg("a", { href }) : svg("g", { role: many ? "button" : "img" });
    const tip = many ? [said, ...items.slice(0, 8).map((item) => this.words(item))].join("\n") : said;
    const middle = many ? (first.at + last.at) / 2 : first.at;
    for (const [name, value] of Object.entries({ class: "rt-time-item", "data-kind": first.kind, "data-at": middle, "aria-label": said })) mark.setAttribute(name, String(value));
    mark.append(svg("circle", { class: "rt-time-halo", cx: x, cy: y, r: RADIUS + 5 }), svg("circle", { class: "rt-time-dot", cx: x, cy: y, r: many ? RADIUS + 3 : RADIUS }), svg("title", {}, tip));
    if (!many) return mark;
    mark.append(svg("text", { class: "rt-time-count", x, y: y + 4, "text-anchor": "middle" }, items.length > 99 ? "99+" : String(items.length)));
    const closer = (): void => {
      const margin = Math.max((last.at - first.at) * 0.2, SPAN_LEAST);
      this.look([first.at - margin, last.at + margin]);
    };
    mark.addEventListener("click", closer);
    mark.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      closer();
    });
    return mark;
  }
}

export async function start(element: HTMLElement): Promise<void> {
  new Timeline(element, await load(element));
}
