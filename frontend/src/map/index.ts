/** `data-component="flow-map"` around the columns of flows: the same flows on a map of land without borders. */

import { geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import land from "world-atlas/land-110m.json";

import { freshId, html, svg } from "../base/dom.ts";
import { type Say, sayFor } from "../base/messages.ts";
import { drawAtWidth, roving } from "../charts/chart.ts";
import { spots } from "./label.ts";
import { type Flow, type Kind, type Model, type Place, bent, looped, middle, readFlows } from "./model.ts";
import { TEXTS, type Text } from "./texts.ts";

const TOPOLOGY = land as unknown as Topology<{ land: GeometryCollection }>;
const LAND = feature(TOPOLOGY, TOPOLOGY.objects.land);
/** No nearer than this, so that one can see where in the world a place is. */
const NEAREST = 4;
const LABEL = 13;
const DOT = 5;
const NOWHERE: readonly [number, number] = [0, 0];

class FlowMap {
  private readonly say: Say<Text>;
  private readonly svg: SVGSVGElement;
  private readonly said = html("p", { class: "rt-map-said", role: "status" });
  private readonly ids: Record<Kind | "clip", string>;

  constructor(
    element: HTMLElement,
    private readonly model: Model,
  ) {
    this.say = sayFor(element, TEXTS);
    this.ids = { data: freshId("rt-map"), money: freshId("rt-map"), clip: freshId("rt-map") };
    const title = element.getAttribute("aria-label") ?? this.say("map_title");
    this.svg = svg("svg", { class: "rt-map", role: "group", "aria-label": `${title}. ${this.say("map_help")}` });
    const frame = html("div", { class: "rt-chart" }, this.svg);
    const columns = html("details", { class: "rt-map-columns" }, html("summary", {}, this.say("map_columns")), ...element.childNodes);
    const left = model.left > 0 ? html("p", { class: "rt-map-note" }, this.say("map_left", { count: model.left })) : null;
    element.append(html("div", { class: "rt-part" }, frame, this.said, html("p", { class: "rt-map-note" }, this.say("map_note")), left ?? "", columns));
    this.said.textContent = this.say("map_hint");
    roving(this.svg, () => [...this.svg.querySelectorAll<SVGElement>(".rt-map-place")]);
    drawAtWidth(frame, (width) => this.draw(width));
  }

  private draw(width: number): void {
    const height = Math.round(Math.max(220, Math.min(width * 0.5, 420)));
    const points = this.model.places.map((place) => place.at);
    const projection = geoEqualEarth().rotate([-middle(points.map((at) => at[0])), 0]);
    projection.fitSize([width, height], { type: "Sphere" });
    const most = projection.scale() * NEAREST;
    const edge = Math.min(70, width / 6);
    const all = { type: "MultiPoint" as const, coordinates: points.map((at) => [...at]) };
    projection.fitExtent([[edge, 45], [width - edge, height - 40]], all);
    if (!(projection.scale() < most)) {
      projection.scale(most).translate([0, 0]);
      const [[x0, y0], [x1, y1]] = geoPath(projection).bounds(all);
      projection.translate([width / 2 - (x0 + x1) / 2, height / 2 - (y0 + y1) / 2]);
    }
    projection.clipExtent([[-2, -2], [width + 2, height + 2]]);
    const at = new Map(this.model.places.map((place) => [place.code, projection([...place.at]) as [number, number]]));
    const { data, money, clip } = this.ids;
    this.svg.replaceChildren(
      svg("defs", {}, this.tip(data, "data"), this.tip(money, "money"), svg("clipPath", { id: clip }, svg("rect", { width, height }))),
      svg("rect", { class: "rt-map-sea", width, height }),
      svg("path", { class: "rt-map-land", d: geoPath(projection)(LAND) ?? "" }),
    );
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", String(width));
    this.svg.setAttribute("height", String(height));
    const lines = svg("g", { "clip-path": `url(#${clip})`, "aria-hidden": "true" });
    for (const flow of this.model.flows) lines.append(this.line(flow, at));
    this.svg.append(lines, ...this.places(at, width, height));
  }

  private tip(id: string, kind: Kind): SVGElement {
    const marker = svg("marker", { id, class: `rt-map-tip rt-map-${kind}`, viewBox: "0 0 8 8", refX: 11, refY: 4, markerWidth: 14, markerHeight: 14, markerUnits: "userSpaceOnUse", orient: "auto" });
    marker.append(svg("path", { d: "M0 0L8 4L0 8z" }));
    return marker;
  }

  private line(flow: Flow, at: ReadonlyMap<string, readonly [number, number]>): SVGElement {
    const [start, end] = [at.get(flow.from) ?? NOWHERE, at.get(flow.to) ?? NOWHERE];
    const within = flow.from === flow.to;
    return svg("path", {
      class: `rt-map-flow rt-map-${flow.kind}`,
      d: within ? looped(start, flow.kind) : bent(start, end, flow.kind),
      "stroke-width": Math.min(flow.width, 9),
      "marker-end": within ? null : `url(#${this.ids[flow.kind]})`,
      "data-from": flow.from,
      "data-to": flow.to,
    });
  }

  private places(at: ReadonlyMap<string, readonly [number, number]>, width: number, height: number): SVGElement[] {
    const weight = (place: Place): number => this.model.flows.reduce((sum, flow) => sum + (flow.from === place.code || flow.to === place.code ? flow.findings : 0), 0);
    const names = spots(
      this.model.places.map((place) => {
        const [x, y] = at.get(place.code) ?? NOWHERE;
        return { name: place.name, x, y, weight: weight(place) };
      }),
      LABEL,
      DOT,
      width,
      height,
    );
    return this.model.places.map((place, number) => {
      const [x, y] = at.get(place.code) ?? NOWHERE;
      const group = svg("g", { class: "rt-map-place", role: "img", tabindex: number === 0 ? 0 : -1, "aria-label": this.words(place), "data-code": place.code });
      group.append(svg("circle", { class: "rt-map-halo", cx: x, cy: y, r: 16 }), svg("circle", { class: "rt-map-dot", cx: x, cy: y, r: DOT }));
      const label = names[number];
      if (label) group.append(svg("text", { class: "rt-map-name", x: label.x, y: label.y + LABEL, "text-anchor": "middle" }, place.name));
      group.addEventListener("focus", () => this.look(place));
      group.addEventListener("pointerenter", () => this.look(place));
      group.addEventListener("blur", () => this.look(null));
      group.addEventListener("pointerleave", () => this.look(null));
      return group;
    });
  }

  /** Brings out what goes from and to a place; null shows all alike again. */
  private look(place: Place | null): void {
    for (const line of this.svg.querySelectorAll<SVGElement>(".rt-map-flow")) {
      const away = place !== null && line.dataset["from"] !== place.code && line.dataset["to"] !== place.code;
      line.classList.toggle("rt-map-away", away);
    }
    if (place) this.said.textContent = this.words(place);
  }

  /** What goes from and to a place, in words. */
  private words(place: Place): string {
    const name = (code: string): string => this.model.places.find((one) => one.code === code)?.name ?? code;
    const kind = (flow: Flow): string => this.say(flow.kind === "data" ? "map_data" : "map_money");
    const list = (flows: readonly Flow[], other: (flow: Flow) => string): string =>
      flows.map((flow) => this.say("map_item", { name: name(other(flow)), kind: kind(flow), count: flow.findings })).join(", ");
    const { flows } = this.model;
    const out = flows.filter((flow) => flow.from === place.code && flow.to !== place.code);
    const into = flows.filter((flow) => flow.to === place.code && flow.from !== place.code);
    const within = flows.filter((flow) => flow.from === place.code && flow.to === place.code);
    const inside = within.map((flow) => this.say("map_kind", { kind: kind(flow), count: flow.findings })).join(", ");
    const parts = [
      out.length > 0 ? this.say("map_from", { name: place.name, list: list(out, (flow) => flow.to) }) : "",
      into.length > 0 ? this.say("map_to", { name: place.name, list: list(into, (flow) => flow.from) }) : "",
      within.length > 0 ? this.say("map_within", { name: place.name, list: inside }) : "",
    ];
    return parts.filter(Boolean).join("; ");
  }
}

/** Where no flow has two places that the map knows, the columns stay as they are. */
export function start(element: HTMLElement): void {
  const model = readFlows(element);
  if (model.flows.length > 0) new FlowMap(element, model);
}
