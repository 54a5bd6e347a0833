/** The drawing itself: SVG elements for parties and flows, zoom, and the keyboard. */

import { select } from "d3-selection";
import { type D3ZoomEvent, zoom, zoomIdentity } from "d3-zoom";

import { svg } from "../base/dom.ts";
import { shortened } from "../base/format.ts";
import { type Wanted, choose } from "./labels.ts";
import type { Places } from "./layout.ts";
import { type Flow, type Network, type Party, sorted } from "./model.ts";
import { lineBetween, shapeOf } from "./shapes.ts";

/** By how much signs may be larger on the screen than they are drawn. */
const SIGN_MOST = 1.6;
const LABEL = 12;
const LABEL_SIGNS = 22;
const FLOW_TEXT = 10.5;
/** So many names of those with most flows are shown even over other parties. */
const BUSIEST = 10;
/** Below this zoom only flows that were asked for are named. */
const FLOWS_NAMED_FROM = 0.4;

export interface Words {
  /** What is read out for a party. */
  node(party: Party, out: number, into: number): string;
  /** A flow in a line, for its tooltip. */
  flow(flow: Flow): string;
  /** A flow in a word, on the drawing. */
  flowShort(flow: Flow): string;
  more(count: number): string;
  title: string;
  help: string;
}

export interface Events {
  choose(id: string): void;
  chooseFlow(flow: Flow): void;
}

export interface Seen {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly screen: { readonly width: number; readonly height: number };
}

export interface Emphasis {
  readonly parties: ReadonlySet<string>;
  /** Ids of edges. */
  readonly edges: ReadonlySet<string>;
}

interface DrawnParty {
  party: Party;
  group: SVGGElement;
  label: SVGGElement;
  text: string;
}

interface DrawnFlow {
  flow: Flow;
  bend: number;
  width: number;
  x: number;
  y: number;
  group: SVGGElement;
  hit: SVGPathElement;
  line: SVGPathElement;
  head: SVGPathElement;
  text: SVGTextElement;
}

export class Drawing {
  readonly svg: SVGSVGElement;
  private readonly stage = svg("g");
  private readonly flowLayer = svg("g");
  /** Above all lines: a line of another flow would cross the text out. */
  private readonly textLayer = svg("g");
  private readonly partyLayer = svg("g");
  private readonly labelLayer = svg("g");
  private readonly zoomer = zoom<SVGSVGElement, unknown>();
  private parties = new Map<string, DrawnParty>();
  private flows: DrawnFlow[] = [];
  private places: Places = new Map();
  private degree = new Map<string, number>();
  private scale = 1;
  /** By how much signs are drawn larger, so that they are seen where all of a large network is shown. */
  private unit = 1;
  /** The same at the present zoom: whoever looks closer wants to see more, not larger signs. */
  private drawnUnit = 1;
  private emphasis: Emphasis | null = null;
  private selected: string | null = null;
  private current: string | null = null;
  /** Whether the person has moved the drawing: then it is not fitted anew by itself. */
  private moved = false;
  private waiting = false;

  constructor(
    private readonly words: Words,
    private readonly events: Events,
  ) {
    this.stage.append(this.flowLayer, this.textLayer, this.partyLayer, this.labelLayer);
    this.svg = svg(
      "svg",
      { class: "rt-net-svg", role: "group", "aria-label": `${words.title}. ${words.help}` },
      this.stage,
    );
    this.zoomer
      .scaleExtent([0.08, 4])
      // The wheel scrolls the page and one finger too; with Ctrl or two fingers they move the drawing.
      .filter((event: Event) => {
        if (event instanceof WheelEvent) return event.ctrlKey || event.metaKey;
        if (typeof TouchEvent !== "undefined" && event instanceof TouchEvent) return event.touches.length > 1;
        return !(event instanceof MouseEvent && event.button !== 0) && event.type !== "dblclick";
      })
      .on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
        this.stage.setAttribute("transform", event.transform.toString());
        if (event.sourceEvent) this.moved = true;
        if (event.transform.k !== this.scale) {
          this.scale = event.transform.k;
          this.arrangeSoon();
        }
      });
    select(this.svg).call(this.zoomer).on("dblclick.zoom", null);
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Draws parties at their places, and flows of all times; `showUntil` then takes away what is later. */
  show(network: Network, places: Places): void {
    this.places = places;
    this.unit = Math.min(2, Math.max(1, 0.7 / this.fitting()));
    this.drawnUnit = Math.min(this.unit, SIGN_MOST / this.scale);
    const focused = this.svg.contains(document.activeElement) ? this.current : null;
    this.partyLayer.replaceChildren();
    this.labelLayer.replaceChildren();
    this.parties = new Map();
    for (const party of sorted(network.parties.values())) this.drawParty(party);
    if (this.current === null || !this.parties.has(this.current)) {
      const subject = [...this.parties.values()].find(({ party }) => party.role === "subject");
      this.current = subject?.party.id ?? this.parties.keys().next().value ?? null;
    }
    this.rove(this.current, focused !== null);
  }

  /** Draws the flows of a moment. Parties without any are faint but stay where they are. */
  showFlows(flows: readonly Flow[]): void {
    const outs = new Map<string, number>();
    const ins = new Map<string, number>();
    for (const { source, target } of flows) {
      outs.set(source, (outs.get(source) ?? 0) + 1);
      ins.set(target, (ins.get(target) ?? 0) + 1);
    }
    this.degree = new Map([...this.parties.keys()].map((id) => [id, (outs.get(id) ?? 0) + (ins.get(id) ?? 0)]));
    for (const { party, group, label } of this.parties.values()) {
      const [out, into] = [outs.get(party.id) ?? 0, ins.get(party.id) ?? 0];
      group.setAttribute("aria-label", this.words.node(party, out, into));
      for (const each of [group, label]) each.classList.toggle("rt-later", out + into === 0 && party.role !== "subject");
    }
    this.flowLayer.replaceChildren();
    this.textLayer.replaceChildren();
    this.flows = [];
    const between = new Map<string, Flow[]>();
    for (const flow of flows) {
      const key = JSON.stringify([flow.source, flow.target].sort());
      const held = between.get(key);
      if (held) held.push(flow);
      else between.set(key, [flow]);
    }
    for (const held of between.values()) {
      held.forEach((flow, i) => {
        // Of several between two parties each bends its own way; the direction turns the side around.
        const side = flow.source < flow.target ? 1 : -1;
        this.drawFlow(flow, (i - (held.length - 1) / 2) * 16 * side);
      });
    }
    this.arrange();
    this.apply();
  }

  private drawParty(party: Party): void {
    const group = svg("g", {
      class: "rt-net-node",
      role: "button",
      tabindex: -1,
      "data-id": party.id,
      "data-kind": party.kind,
      "data-role": party.role,
    });
    group.append(svg("circle", { class: "rt-net-ring", r: 19 }), svg("path", { class: "rt-net-shape", d: shapeOf(party.kind) }));
    const tip = svg("title", {}, party.label);
    if (party.more !== undefined) {
      tip.textContent = `${party.label} (${this.words.more(party.more)})`;
      group.append(svg("text", { class: "rt-net-more", "aria-hidden": true, x: 12, y: -10 }, `+${party.more}`));
    }
    group.append(tip);
    const text = shortened(party.label, LABEL_SIGNS);
    // The halo is a text of its own: it covers lines, but no other name.
    const label = svg(
      "g",
      { class: "rt-net-label", "aria-hidden": true },
      svg("text", { class: "rt-net-halo", "text-anchor": "middle" }, text),
      svg("text", { "text-anchor": "middle" }, text),
    );
    group.addEventListener("click", () => this.events.choose(party.id));
    group.addEventListener("focus", () => this.rove(party.id, false));
    group.addEventListener("pointerenter", () => label.classList.add("rt-hover"));
    group.addEventListener("pointerleave", () => label.classList.remove("rt-hover"));
    this.partyLayer.append(group);
    this.labelLayer.append(label);
    const drawn = { party, group, label, text };
    this.parties.set(party.id, drawn);
    this.layParty(drawn);
  }

  private drawFlow(flow: Flow, bend: number): void {
    const width = 1 + Math.min(4, Math.log2(flow.edges.length));
    const [hit, line, head] = [svg("path", { class: "rt-net-hit" }), svg("path", { class: "rt-net-line", "stroke-width": width }), svg("path", { class: "rt-net-head" })];
    const text = svg("text", { class: "rt-net-flow-text", "text-anchor": "middle", dy: "-0.35em", "aria-hidden": true }, this.words.flowShort(flow));
    const group = svg(
      "g",
      { class: "rt-net-flow", "data-kind": flow.kind, "aria-hidden": true },
      hit,
      line,
      head,
      svg("title", {}, this.words.flow(flow)),
    );
    group.addEventListener("click", () => this.events.chooseFlow(flow));
    group.addEventListener("pointerenter", () => text.classList.add("rt-hover"));
    group.addEventListener("pointerleave", () => text.classList.remove("rt-hover"));
    this.flowLayer.append(group);
    this.textLayer.append(text);
    const drawn = { flow, bend, width, x: 0, y: 0, group, hit, line, head, text };
    this.flows.push(drawn);
    this.layFlow(drawn);
  }

  private layFlow(drawn: DrawnFlow): void {
    const [from, to] = [this.places.get(drawn.flow.source), this.places.get(drawn.flow.target)];
    if (!from || !to) return;
    const { path, head, x, y } = lineBetween(from, to, drawn.bend * this.unit, drawn.width, this.drawnUnit);
    drawn.hit.setAttribute("d", path);
    drawn.line.setAttribute("d", path);
    drawn.head.setAttribute("d", head);
    drawn.text.setAttribute("transform", `translate(${x},${y})`);
    [drawn.x, drawn.y] = [x, y];
  }

  private sizeOf(party: Party): number {
    return (party.role === "subject" ? 1.35 : 1) * this.drawnUnit;
  }

  private layParty({ party, group, label }: DrawnParty): void {
    const at = this.places.get(party.id) ?? { x: 0, y: 0 };
    const size = this.sizeOf(party);
    group.setAttribute("transform", `translate(${at.x},${at.y}) scale(${size})`);
    label.setAttribute("transform", `translate(${at.x},${at.y + 19 * size})`);
  }

  /** Signs grow with the zoom only up to a size; flows end where signs begin. */
  private resize(): void {
    const unit = Math.min(this.unit, SIGN_MOST / this.scale);
    if (unit === this.drawnUnit) return;
    this.drawnUnit = unit;
    for (const drawn of this.parties.values()) this.layParty(drawn);
    for (const drawn of this.flows) this.layFlow(drawn);
  }

  /** Once for all that a wheel sends within a frame. */
  private arrangeSoon(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.arrange();
    });
  }

  /** Gives names the size that is read at this zoom, and shows as many as have room. */
  private arrange(): void {
    this.resize();
    const k = this.scale;
    const size = LABEL / k;
    const busiest = new Set([...this.degree].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, BUSIEST).map(([id]) => id));
    const wanted: Wanted[] = [...this.parties.values()].map(({ party, text }) => {
      const at = this.places.get(party.id) ?? { x: 0, y: 0 };
      const chosen = party.id === this.selected || this.emphasis?.parties.has(party.id) || party.role === "subject";
      const later = this.degree.get(party.id) === 0;
      const weight = chosen ? Infinity : later ? -1 : (this.degree.get(party.id) ?? 0);
      return { id: party.id, text, size: LABEL, x: at.x * k, y: (at.y + 19 * this.sizeOf(party)) * k, weight, over: busiest.has(party.id) };
    });
    const touched = (flow: Flow): boolean =>
      flow.edges.some((edge) => this.emphasis?.edges.has(edge.id)) || flow.source === this.selected || flow.target === this.selected;
    for (const { flow, text, x, y } of this.flows) {
      const chosen = touched(flow);
      if (!chosen && k < FLOWS_NAMED_FROM) continue;
      // Names of parties come before texts of flows, but for those that were asked for.
      wanted.push({ id: `flow ${flow.key}`, text: text.textContent ?? "", size: FLOW_TEXT, x: x * k, y: y * k - FLOW_TEXT * 1.35, weight: chosen ? 1e6 : -2 });
    }
    const dots = [...this.places.values()].map(({ x, y }) => ({ x: x * k, y: y * k, r: 10 * k * this.drawnUnit }));
    const shown = choose(wanted, dots);
    for (const { party, label } of this.parties.values()) {
      label.classList.toggle("rt-quiet", !shown.has(party.id));
      for (const text of label.children) {
        text.setAttribute("font-size", size.toFixed(2));
        text.setAttribute("y", size.toFixed(2));
      }
      label.firstElementChild?.setAttribute("stroke-width", (4 / k).toFixed(2));
    }
    for (const { flow, text } of this.flows) {
      text.classList.toggle("rt-named", shown.has(`flow ${flow.key}`));
      text.setAttribute("font-size", (FLOW_TEXT / k).toFixed(2));
      text.setAttribute("stroke-width", (3 / k).toFixed(2));
    }
  }

  /** Brings out a set of parties and edges and lets the rest step back; null brings back all. */
  emphasise(emphasis: Emphasis | null): void {
    this.emphasis = emphasis;
    this.arrange();
    this.apply();
  }

  select(id: string | null): void {
    this.selected = id;
    this.arrange();
    this.apply();
  }

  private apply(): void {
    const out = this.emphasis;
    for (const { party, group, label } of this.parties.values()) {
      const back = out !== null && !out.parties.has(party.id);
      for (const each of [group, label]) each.classList.toggle("rt-back", back);
      group.classList.toggle("rt-out", out !== null && !back);
      group.classList.toggle("rt-selected", party.id === this.selected);
      group.setAttribute("aria-pressed", String(party.id === this.selected));
    }
    for (const { flow, group, text } of this.flows) {
      const inside = out !== null && flow.edges.some((edge) => out.edges.has(edge.id));
      for (const each of [group, text]) each.classList.toggle("rt-back", out !== null && !inside);
      group.classList.toggle("rt-out", inside);
      group.classList.toggle("rt-touching", flow.source === this.selected || flow.target === this.selected);
    }
  }

  // One party at a time can be reached by Tab; arrow keys go on from there.
  private rove(id: string | null, focus: boolean): void {
    if (this.current !== null) this.parties.get(this.current)?.group.setAttribute("tabindex", "-1");
    this.current = id;
    const drawn = id === null ? undefined : this.parties.get(id);
    drawn?.group.setAttribute("tabindex", "0");
    if (focus) drawn?.group.focus();
  }

  focus(id: string): void {
    this.rove(id, true);
    this.bringIntoView(id);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow) this.step(...arrow);
    else if ((event.key === "Enter" || event.key === " ") && this.current !== null) this.events.choose(this.current);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
    else if (event.key === "-") this.zoomBy(1 / 1.4);
    else if (event.key === "0") this.fit();
    else if (event.key === "Home" || event.key === "End") {
      const ids = [...this.parties.keys()];
      const id = event.key === "Home" ? ids[0] : ids[ids.length - 1];
      if (id !== undefined) this.focus(id);
    } else return;
    event.preventDefault();
  }

  /** To the nearest party in a direction; what lies off to the side counts as further away. */
  private step(dx: number, dy: number): void {
    const from = this.current === null ? undefined : this.places.get(this.current);
    if (!from) return;
    let best: string | null = null;
    let least = Infinity;
    for (const [id, at] of this.places) {
      const along = (at.x - from.x) * dx + (at.y - from.y) * dy;
      const aside = Math.abs((at.x - from.x) * dy) + Math.abs((at.y - from.y) * dx);
      if (id === this.current || along <= 0 || aside > along * 2.2) continue;
      const far = along + aside * 1.8;
      if (far < least) [best, least] = [id, far];
    }
    if (best !== null) this.focus(best);
  }

  private bringIntoView(id: string): void {
    const at = this.places.get(id);
    if (!at) return;
    const { width, height } = this.size();
    const now = this.transform();
    const [x, y] = now.apply([at.x, at.y]);
    if (x > 30 && y > 30 && x < width - 30 && y < height - 45) return;
    select(this.svg).call(this.zoomer.translateTo, at.x, at.y);
  }

  private transform(): typeof zoomIdentity {
    return (this.svg as SVGSVGElement & { __zoom?: typeof zoomIdentity }).__zoom ?? zoomIdentity;
  }

  private size(): { width: number; height: number } {
    return { width: this.svg.clientWidth || 800, height: this.svg.clientHeight || 500 };
  }

  zoomBy(factor: number): void {
    this.moved = true;
    select(this.svg).call(this.zoomer.scaleBy, factor);
  }

  /** The part of the plane that holds everything, names included. */
  private bounds(): { x: number; y: number; width: number; height: number } {
    const places = [...this.places.values()];
    if (places.length === 0) return { x: -100, y: -100, width: 200, height: 200 };
    const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
    const [left, top] = [Math.min(...xs) - 60, Math.min(...ys) - 40];
    return { x: left, y: top, width: Math.max(...xs) + 60 - left, height: Math.max(...ys) + 50 - top };
  }

  /** The part of the plane that is seen, and its size on the screen. */
  seen(): Seen {
    const { width, height } = this.size();
    const [left, top] = this.transform().invert([0, 0]);
    return { x: left, y: top, width: width / this.scale, height: height / this.scale, screen: { width, height } };
  }

  /** The zoom at which everything is seen, with room for names at the edges. */
  private fitting(): number {
    const { width, height } = this.size();
    const box = this.bounds();
    return Math.min(1.5, (width - 60) / box.width, (height - 20) / box.height);
  }

  fit(): void {
    const { width, height } = this.size();
    const box = this.bounds();
    const k = this.fitting();
    const at = zoomIdentity.translate(width / 2, height / 2).scale(k).translate(-box.x - box.width / 2, -box.y - box.height / 2);
    this.scale = k;
    select(this.svg).call(this.zoomer.transform, at);
    this.moved = false;
    this.arrange();
  }

  /** After the frame has another size. */
  refit(): void {
    if (!this.moved) this.fit();
  }
}
