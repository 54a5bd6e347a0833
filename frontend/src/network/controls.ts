/** The controls above the drawing: zoom, saving, the time, and ways between two parties. */

import { html, button, freshId, svg } from "../base/dom.ts";
import { type Network, sorted } from "./model.ts";
import type { Question } from "./paths.ts";
import { shapeOf } from "./shapes.ts";
import type { Speech } from "./speak.ts";

export interface Does {
  zoom(factor: number): void;
  fit(): void;
  save(form: "svg" | "png"): void;
}

export function toolbar(speech: Speech, does: Does): HTMLElement {
  const { say } = speech;
  const plain = (text: string, label: string, act: () => void): HTMLButtonElement =>
    button(text, act, { class: "rt-button", "aria-label": label, title: label });
  return html(
    "div",
    { class: "rt-net-tools", role: "group", "aria-label": speech.title },
    plain("+", say("network_zoom_in"), () => does.zoom(1.4)),
    plain("−", say("network_zoom_out"), () => does.zoom(1 / 1.4)),
    button(say("network_fit"), () => does.fit(), { class: "rt-button" }),
    button("SVG", () => does.save("svg"), { class: "rt-button", "aria-label": say("network_save_svg"), title: say("network_save_svg") }),
    button("PNG", () => does.save("png"), { class: "rt-button", "aria-label": say("network_save_png"), title: say("network_save_png") }),
  );
}

/** Steps from one moment at which something happens to the next; at the end all of the time. */
export class TimeSlider {
  readonly element: HTMLElement;
  private readonly input = html("input", { type: "range", min: 0, step: 1 });
  private readonly output = html("output");
  private moments: readonly string[] = [];

  constructor(
    private readonly speech: Speech,
    changed: () => void,
  ) {
    const id = freshId("rt-until");
    this.input.id = id;
    this.output.setAttribute("for", id);
    this.element = html("div", { class: "rt-net-time" }, html("label", { for: id }, speech.say("network_until")), this.input, this.output);
    this.input.addEventListener("input", () => {
      this.write();
      changed();
    });
  }

  /** The moment up to which is shown; null for all. */
  get moment(): string | null {
    return this.input.valueAsNumber >= this.moments.length - 1 ? null : (this.moments[this.input.valueAsNumber] ?? null);
  }

  offer(moments: readonly string[]): void {
    const before = this.moment;
    this.moments = moments;
    this.element.hidden = moments.length < 2;
    this.input.max = String(Math.max(0, moments.length - 1));
    const at = before === null ? -1 : moments.indexOf(before);
    this.input.value = String(at < 0 ? moments.length - 1 : at);
    this.write();
  }

  private write(): void {
    const moment = this.moment;
    const last = this.moments[this.moments.length - 1];
    const text = moment === null ? `${this.speech.when(last)} (${this.speech.say("network_all_time")})` : this.speech.when(moment);
    this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
  }
}

export class PathFinder {
  readonly element: HTMLDetailsElement;
  private readonly from = html("select");
  private readonly to = html("select");
  private readonly directed = html("input", { type: "checkbox", checked: true });
  private readonly timely = html("input", { type: "checkbox", checked: true });
  private readonly result = html("p", { role: "status" });
  private readonly list = html("ul", { class: "rt-net-ways" });

  constructor(
    private readonly speech: Speech,
    changed: () => void,
  ) {
    const { say } = speech;
    const field = (text: string, control: HTMLElement): HTMLElement => {
      control.id = freshId("rt-path");
      const label = html("label", { for: control.id }, text);
      return html("span", {}, ...(control instanceof HTMLSelectElement ? [label, " ", control] : [control, " ", label]));
    };
    this.element = html(
      "details",
      { class: "rt-net-paths" },
      html("summary", {}, say("network_paths")),
      html(
        "div",
        { class: "rt-net-tools" },
        field(say("network_from"), this.from),
        field(say("network_to"), this.to),
        field(say("network_directed"), this.directed),
        field(say("network_timely"), this.timely),
        button(say("network_clear"), () => {
          this.from.value = this.to.value = "";
          changed();
        }, { class: "rt-button" }),
      ),
      this.result,
      this.list,
    );
    for (const control of [this.from, this.to, this.directed, this.timely]) control.addEventListener("change", changed);
  }

  offer(network: Network): void {
    for (const select of [this.from, this.to]) {
      const before = select.value;
      const options = sorted(network.parties.values()).map((party) => ({ id: party.id, label: party.label }));
      options.sort((a, b) => a.label.localeCompare(b.label));
      select.replaceChildren(html("option", { value: "" }, this.speech.say("network_nobody")));
      for (const { id, label } of options) select.append(html("option", { value: id }, label));
      select.value = before;
    }
  }

  set(end: "from" | "to", id: string): void {
    this.element.open = true;
    this[end].value = id;
  }

  get question(): Question | null {
    if (!this.from.value || !this.to.value) return null;
    return { from: this.from.value, to: this.to.value, directed: this.directed.checked, timely: this.timely.checked };
  }

  /** What was found: in words, and each way to be brought out alone. */
  answer(text: string, ways: readonly { text: string; show: () => void }[] = []): void {
    if (this.result.textContent !== text) this.result.textContent = text;
    this.list.replaceChildren(...ways.map((way) => html("li", {}, button(way.text, way.show, { class: "rt-link", dir: "auto" }))));
  }
}

/** Which shape stands for which kind, of those that are drawn. */
export function legend(network: Network, speech: Speech): HTMLElement {
  const kinds = [...new Set([...network.parties.values()].map((party) => party.kind))].sort();
  const list = html("ul", { class: "rt-net-legend", "aria-label": speech.say("network_legend") });
  for (const kind of kinds) {
    const sign = svg("svg", { viewBox: "-15 -15 30 30", width: 16, height: 16, "aria-hidden": true });
    sign.append(svg("g", { class: "rt-net-node", "data-kind": kind }, svg("path", { class: "rt-net-shape", d: shapeOf(kind) })));
    list.append(html("li", {}, sign, ` ${speech.kind(kind)}`));
  }
  return list;
}
