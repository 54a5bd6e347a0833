/** Ways by which something got from one party to another. */

import { instant } from "../base/format.ts";
import { type Edge, inOrder } from "./model.ts";

export interface Question {
  readonly from: string;
  readonly to: string;
  /** Only in the direction in which it passed. */
  readonly directed: boolean;
  /** Each step at the time of the step before or later: money is passed on only once it is there. */
  readonly timely: boolean;
}

export interface Way {
  /** Parties from the first to the last. */
  readonly parties: readonly string[];
  /** For each step all edges by which it can be taken. */
  readonly steps: readonly (readonly Edge[])[];
}

export interface Ways {
  readonly ways: readonly Way[];
  /** False where the search stopped before it had seen all: there may be more. */
  readonly complete: boolean;
}

const STEPS_MOST = 8;
const WAYS_MOST = 10;
/** How many steps are tried before the search gives up: some 50 ms. */
const TRIED_MOST = 200_000;

type Near = Map<string, Map<string, Edge[]>>;

function neighbours(edges: readonly Edge[], directed: boolean): Near {
  const near: Near = new Map();
  const join = (a: string, b: string, edge: Edge): void => {
    let row = near.get(a);
    if (!row) near.set(a, (row = new Map()));
    const held = row.get(b);
    if (held) held.push(edge);
    else row.set(b, [edge]);
  };
  for (const edge of edges) {
    if (edge.source === edge.target) continue;
    join(edge.source, edge.target, edge);
    if (!directed) join(edge.target, edge.source, edge);
  }
  return near;
}

/** Steps that are needed at least from each party to the goal. */
function distances(edges: readonly Edge[], to: string, directed: boolean): Map<string, number> {
  const reversed = edges.map((edge) => ({ ...edge, source: edge.target, target: edge.source }));
  const near = neighbours(reversed, directed);
  const found = new Map([[to, 0]]);
  const queue = [to];
  for (const id of queue) {
    for (const next of near.get(id)?.keys() ?? []) {
      if (found.has(next)) continue;
      found.set(next, (found.get(id) ?? 0) + 1);
      queue.push(next);
    }
  }
  return found;
}

/** The shortest ways first, each party at most once on a way; at most ten ways of at most eight steps. */
export function findWays(all: Iterable<Edge>, { from, to, directed, timely }: Question): Ways {
  const edges = inOrder(all);
  if (from === to) return { ways: [], complete: true };
  const left = distances(edges, to, directed);
  const near = neighbours(edges, directed);
  const ways: Way[] = [];
  const visited = [from];
  const taken: Edge[][] = [];
  let tried = 0;

  const go = (at: string, since: number, length: number): void => {
    if (at === to) {
      if (taken.length === length) ways.push({ parties: [...visited], steps: taken.map((step) => [...step]) });
      return;
    }
    const nexts = [...(near.get(at) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [next, held] of nexts) {
      if (ways.length >= WAYS_MOST || tried >= TRIED_MOST) return;
      tried++;
      const rest = left.get(next);
      if (rest === undefined || taken.length + 1 + rest > length || visited.includes(next)) continue;
      const possible = timely ? held.filter((edge) => edge.time === undefined || instant(edge.time) >= since) : held;
      if (possible.length === 0) continue;
      // The earliest step leaves most open for the next ones. What has no time holds at any time.
      const times = possible.map((edge) => (edge.time === undefined ? since : instant(edge.time)));
      visited.push(next);
      taken.push(possible);
      go(next, Math.max(since, Math.min(...times)), length);
      visited.pop();
      taken.pop();
    }
  };

  const shortest = left.get(from);
  if (shortest === undefined) return { ways, complete: true };
  const longest = Math.min(STEPS_MOST, near.size + 1);
  for (let length = shortest; length <= longest; length++) {
    go(from, -Infinity, length);
    if (ways.length >= WAYS_MOST || tried >= TRIED_MOST) return { ways, complete: false };
  }
  // No way that meets each party once is longer than there are parties.
  return { ways, complete: longest > near.size };
}
