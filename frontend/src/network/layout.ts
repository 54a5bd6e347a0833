/** Where the parties stand: the same network gives the same picture, in whatever order it was sent. */

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import type { SimulationLinkDatum, SimulationNodeDatum } from "d3-force";

import { layers } from "./layers.ts";
import { type Network, sorted } from "./model.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
}
export type Places = ReadonlyMap<string, Place>;
export type Form = "force" | "layers";

interface Body extends SimulationNodeDatum {
  id: string;
}

const TICKS = 300;
/** How much wider than high a picture is drawn, where its frame does not say otherwise. */
export const WIDER = 1.5;

/** Pairs of different parties between which something passes, each once. */
function pairs(network: Network): [string, string][] {
  const seen = new Map<string, [string, string]>();
  for (const { source, target } of network.edges.values()) {
    if (source === target) continue;
    const pair: [string, string] = source < target ? [source, target] : [target, source];
    seen.set(JSON.stringify(pair), pair);
  }
  return [...seen.keys()].sort().map((key) => seen.get(key) as [string, string]);
}

/**
 * Places all parties. Those in `standing` stay where they are, so that nobody loses sight of them when
 * neighbours come in. `wider` draws a first picture out to the form of its frame. d3-force draws its rare random numbers from a generator with a fixed seed.
 */
export function place(network: Network, form: Form, standing: Places = new Map(), wider = WIDER): Places {
  if (form === "layers") return layers(network);
  const joined = pairs(network);
  const linked = new Set(joined.flat());
  const everybody = sorted(network.parties.values());
  // Who is linked to nobody would be pushed far away; they get rows of their own below.
  const alone = everybody.filter(({ id, role }) => !linked.has(id) && !standing.has(id) && role !== "subject");
  const parties = everybody.filter((party) => !alone.includes(party));
  const near = new Map<string, Place>();
  for (const [a, b] of joined) {
    for (const [known, fresh] of [[a, b], [b, a]] as const) {
      const at = standing.get(known);
      if (at && !standing.has(fresh) && !near.has(fresh)) near.set(fresh, at);
    }
  }
  let turn = 0;
  const bodies = parties.map((party): Body => {
    const at = standing.get(party.id);
    if (at) return { id: party.id, x: at.x, y: at.y, fx: at.x, fy: at.y };
    if (party.role === "subject" && standing.size === 0) return { id: party.id, fx: 0, fy: 0 };
    const by = near.get(party.id);
    if (!by) return { id: party.id };
    // Newcomers begin around the one they belong to, a golden angle apart.
    const angle = turn++ * Math.PI * (3 - Math.sqrt(5));
    return { id: party.id, x: by.x + 60 * Math.cos(angle), y: by.y + 60 * Math.sin(angle) };
  });
  const links: SimulationLinkDatum<Body>[] = joined.map(([source, target]) => ({ source, target }));
  const crowd = Math.sqrt(Math.max(1, parties.length / 40));
  const simulation = forceSimulation(bodies)
    .force("link", forceLink<Body, SimulationLinkDatum<Body>>(links).id((body) => body.id).distance(95))
    .force("charge", forceManyBody<Body>().strength(-420).distanceMax(700 * crowd))
    .force("collide", forceCollide<Body>(34))
    .force("x", forceX<Body>(0).strength(0.05))
    .force("y", forceY<Body>(0).strength(0.07))
    .stop();
  simulation.tick(TICKS);
  const round = (value: number | undefined): number => Math.round((value ?? 0) * 10) / 10;
  // Newcomers are put where the others stand; only a first picture is drawn out to the width of a screen.
  const wide = standing.size === 0 ? wider : 1;
  const places = new Map(bodies.map((body) => [body.id, { x: round((body.x ?? 0) * wide), y: round(body.y) }]));
  const bottom = Math.max(0, ...[...places.values()].map(({ y }) => y)) + 90;
  const across = Math.max(8, Math.ceil(Math.sqrt(parties.length) * 2));
  alone.forEach(({ id }, i) => {
    const row = Math.floor(i / across);
    const held = Math.min(across, alone.length - row * across);
    places.set(id, { x: ((i % across) - (held - 1) / 2) * 110, y: bottom + row * 70 });
  });
  return places;
}
