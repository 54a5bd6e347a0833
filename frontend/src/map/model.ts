/** What the map draws: flows read from the columns that the server drew, and where their places are. */

import places from "./places.json";

export type Kind = "data" | "money";

export interface Flow {
  readonly kind: Kind;
  readonly from: string;
  readonly to: string;
  readonly findings: number;
  /** Pixels, as in the columns. */
  readonly width: number;
}

export interface Place {
  readonly code: string;
  readonly name: string;
  readonly at: readonly [number, number];
}

export interface Model {
  readonly flows: readonly Flow[];
  readonly places: readonly Place[];
  /** Flows with an end that has no place on the map. */
  readonly left: number;
}

const POINTS = places as unknown as Record<string, readonly [number, number] | undefined>;

/** The flows of `<path data-from data-to data-kind data-findings>`, and the places of those that have two. */
export function readFlows(element: ParentNode): Model {
  const flows: Flow[] = [];
  const named = new Map<string, Place>();
  let left = 0;
  for (const path of element.querySelectorAll<SVGPathElement>("path[data-from]")) {
    const { from = "", to = "", fromName, toName, kind, findings } = path.dataset;
    const [start, end] = [POINTS[from], POINTS[to]];
    if (!start || !end) {
      left += 1;
      continue;
    }
    named.set(from, { code: from, name: fromName || from, at: start });
    named.set(to, { code: to, name: toName || to, at: end });
    flows.push({ kind: kind === "money" ? "money" : "data", from, to, findings: Number(findings) || 0, width: Number(path.getAttribute("stroke-width")) || 2 });
  }
  const order = [...named.values()].sort((a, b) => a.at[0] - b.at[0] || (a.code < b.code ? -1 : 1));
  return { flows, places: order, left };
}

/** The longitude in the middle of some places, the short way around: no line then leaves the map at its edge. */
export function middle(longitudes: readonly number[]): number {
  const sorted = [...new Set(longitudes)].sort((a, b) => a - b);
  let [widest, after] = [-1, 0];
  for (let i = 0; i < sorted.length; i++) {
    const here = sorted[i] as number;
    const next = i + 1 < sorted.length ? (sorted[i + 1] as number) : (sorted[0] as number) + 360;
    if (next - here > widest) [widest, after] = [next - here, next];
  }
  const half = (360 - widest) / 2;
  return ((((after + half + 180) % 360) + 360) % 360) - 180;
}

/** A line that bends to its right, so that both ways between two places, and both kinds, can be seen. */
export function bent(from: readonly [number, number], to: readonly [number, number], kind: Kind): string {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const share = kind === "money" ? 0.3 : 0.18;
  const [x, y] = [(from[0] + to[0]) / 2 - dy * share, (from[1] + to[1]) / 2 + dx * share];
  const round = (n: number): number => Math.round(n * 10) / 10;
  return `M${round(from[0])} ${round(from[1])}Q${round(x)} ${round(y)} ${round(to[0])} ${round(to[1])}`;
}

/** A loop above a place, for what stays within it. */
export function looped([x, y]: readonly [number, number], kind: Kind): string {
  const r = kind === "money" ? 15 : 10;
  return `M${Math.round(x)} ${Math.round(y)}m0 0a${r} ${r} 0 1 1 0.1 0`;
}
