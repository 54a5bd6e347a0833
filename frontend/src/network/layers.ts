/** Layers from above to below, for ownership: who owns stands above what is owned. */

import { type Network, inOrder, sorted } from "./model.ts";
import type { Place } from "./layout.ts";

const ACROSS = 190;
const ACROSS_MOST = 420;
const DOWN = 120;
/** A deep drawing is drawn out, so that it is about so much wider than high. */
const WIDER = 1.6;
const SWEEPS = 12;
/** Wider layers go on in a further row: else a drawing of 200 parties would be a line. */
const WIDEST = 12;

interface Around {
  above: Map<string, string[]>;
  below: Map<string, string[]>;
}

function around(network: Network): Around {
  const above = new Map<string, string[]>();
  const below = new Map<string, string[]>();
  for (const id of network.parties.keys()) {
    above.set(id, []);
    below.set(id, []);
  }
  for (const { source, target } of inOrder(network.edges.values())) {
    if (source === target || below.get(source)?.includes(target)) continue;
    below.get(source)?.push(target);
    above.get(target)?.push(source);
  }
  return { above, below };
}

/** The longest way from a party that nobody owns; an edge that closes a circle counts for nothing. */
function depths(ids: string[], { above, below }: Around): Map<string, number> {
  const back = new Set<string>();
  const state = new Map<string, "open" | "done">();
  const order: string[] = [];
  const visit = (start: string): void => {
    const stack: [string, number][] = [[start, 0]];
    state.set(start, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as [string, number];
      const next = below.get(top[0])?.[top[1]++];
      if (next === undefined) {
        state.set(top[0], "done");
        order.push(top[0]);
        stack.pop();
      } else if (state.get(next) === "open") back.add(JSON.stringify([top[0], next]));
      else if (!state.has(next)) {
        state.set(next, "open");
        stack.push([next, 0]);
      }
    }
  };
  const roots = ids.filter((id) => above.get(id)?.length === 0);
  for (const id of [...roots, ...ids]) if (!state.has(id)) visit(id);
  const depth = new Map<string, number>(ids.map((id) => [id, 0]));
  for (const id of order.reverse()) {
    for (const next of below.get(id) ?? []) {
      if (back.has(JSON.stringify([id, next]))) continue;
      depth.set(next, Math.max(depth.get(next) ?? 0, (depth.get(id) ?? 0) + 1));
    }
  }
  return depth;
}

/** Layers ordered by the middle of their neighbours, up and down a few times: fewer lines cross. */
function ordered(ids: string[], depth: Map<string, number>, { above, below }: Around): string[][] {
  const rows: string[][] = [];
  for (const id of ids) (rows[depth.get(id) ?? 0] ??= []).push(id);
  const at = new Map<string, number>();
  const number = (row: string[]): void => row.forEach((id, i) => at.set(id, i - (row.length - 1) / 2));
  rows.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const middle = new Map<string, number>();
      for (const id of row) {
        const near = (down ? above : below).get(id) ?? [];
        const mean = near.reduce((total, each) => total + (at.get(each) ?? 0), 0) / near.length;
        middle.set(id, near.length > 0 ? mean : (at.get(id) ?? 0));
      }
      const before = new Map(row.map((id, i) => [id, i]));
      row.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0) || (before.get(a) ?? 0) - (before.get(b) ?? 0));
      number(row);
    }
  }
  return rows;
}

export function layers(network: Network): Map<string, Place> {
  const ids = sorted(network.parties.values()).map((party) => party.id);
  const graph = around(network);
  const places = new Map<string, Place>();
  const rows = ordered(ids, depths(ids, graph), graph);
  const widest = Math.min(WIDEST, Math.max(1, ...rows.map((row) => row.length)));
  const across = Math.round(Math.min(ACROSS_MOST, Math.max(ACROSS, (rows.length * DOWN * WIDER) / widest)));
  let y = 0;
  for (const row of rows) {
    for (let start = 0; start < row.length; start += WIDEST) {
      const part = row.slice(start, start + WIDEST);
      part.forEach((id, i) => places.set(id, { x: (i - (part.length - 1) / 2) * across, y }));
      y += start + WIDEST < row.length ? DOWN * 0.7 : DOWN;
    }
  }
  return places;
}
