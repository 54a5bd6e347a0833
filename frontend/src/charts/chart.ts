/** What both charts share: loading, redrawing at another width, keys, and the table below. */

import { dataOf, words } from "../base/data.ts";
import { html } from "../base/dom.ts";
import { type Say, sayFor } from "../base/messages.ts";
import { TEXTS, type Text } from "./texts.ts";

export async function load(element: HTMLElement): Promise<unknown> {
  try {
    return await dataOf(element);
  } catch (error) {
    element.prepend(html("p", { class: "rt-notice", role: "alert" }, sayFor(element, TEXTS)("chart_failed", { reason: words(error) })));
    throw error;
  }
}

/** Draws now and whenever the width has changed. */
export function drawAtWidth(frame: HTMLElement, draw: (width: number) => void): void {
  let width = 0;
  const again = (): void => {
    const now = Math.floor(frame.clientWidth);
    if (now === 0 || now === width) return;
    width = now;
    draw(width);
  };
  again();
  new ResizeObserver(again).observe(frame);
}

/** One mark at a time is reached by Tab; arrow keys, Home and End go on from there. */
export function roving(svg: SVGSVGElement, marks: () => SVGElement[]): void {
  svg.addEventListener("keydown", (event) => {
    const all = marks();
    const at = all.indexOf(document.activeElement as unknown as SVGElement);
    const steps: Record<string, number> = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const next = steps[event.key];
    if (next === undefined || at < 0) return;
    event.preventDefault();
    const target = all[Math.max(0, Math.min(all.length - 1, next))];
    if (!target) return;
    for (const mark of all) mark.setAttribute("tabindex", mark === target ? "0" : "-1");
    target.focus();
  });
}

export function tableBelow(say: Say<Text>, title: string, columns: readonly Text[], rows: () => readonly (readonly string[])[]): HTMLElement {
  const scroll = html("div", { class: "rt-scroll", tabindex: 0, role: "region", "aria-label": title });
  const whole = html("details", { class: "rt-chart-table" }, html("summary", {}, say("chart_table")), scroll);
  whole.addEventListener("toggle", () => {
    if (!whole.open) return scroll.replaceChildren();
    const head = html("tr", {}, ...columns.map((column) => html("th", { scope: "col" }, say(column))));
    const body = html("tbody");
    for (const row of rows()) body.append(html("tr", {}, ...row.map((cell) => html("td", {}, html("bdi", {}, cell)))));
    scroll.replaceChildren(html("table", { class: "rt-table" }, html("thead", {}, head), body));
  });
  return whole;
}
