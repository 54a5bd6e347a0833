/** What a network is made of: parties, what passes between them, and flows that bundle it. */

import { type Decimal, add, readDecimal } from "../base/decimal.ts";
import { instant } from "../base/format.ts";

export interface Party {
  readonly id: string;
  readonly label: string;
  readonly kind: string;
  readonly role?: string;
  readonly href?: string;
  /** Neighbours that the server knows and did not send. */
  readonly more?: number;
}

export interface Edge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly time?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly kind: string;
  readonly label: string;
}

export interface Network {
  readonly parties: ReadonlyMap<string, Party>;
  readonly edges: ReadonlyMap<string, Edge>;
  /** Edges that named a party which is not there, and entries that could not be read. */
  readonly left: number;
}

/** All that passes from one party to another in one kind. */
export interface Flow {
  readonly key: string;
  readonly source: string;
  readonly target: string;
  readonly kind: string;
  readonly edges: readonly Edge[];
  /** By currency; amounts that cannot be read are in none. */
  readonly sums: ReadonlyMap<string, Decimal>;
}

export const EMPTY: Network = { parties: new Map(), edges: new Map(), left: 0 };

function word(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

function readParty(entry: unknown): Party | null {
  const given = (entry ?? {}) as Record<string, unknown>;
  const id = word(given["id"]);
  if (id === undefined) return null;
  const [role, href] = [word(given["role"]), word(given["href"])];
  return {
    id,
    label: word(given["label"]) ?? id,
    kind: word(given["kind"]) ?? "party",
    ...(role && { role }),
    ...(href && { href }),
    ...(typeof given["more"] === "number" && given["more"] > 0 && { more: given["more"] }),
  };
}

function readEdge(entry: unknown): Edge | null {
  const given = (entry ?? {}) as Record<string, unknown>;
  const [id, source, target] = [word(given["id"]), word(given["source"]), word(given["target"])];
  if (id === undefined || source === undefined || target === undefined) return null;
  const [time, amount, currency] = [word(given["time"]), word(given["amount"]), word(given["currency"])];
  return {
    id,
    source,
    target,
    kind: word(given["kind"]) ?? "",
    label: word(given["label"]) ?? "",
    ...(time && { time }),
    ...(amount && { amount }),
    ...(currency && { currency }),
  };
}

/** The network with what the server sent added; of the same id the newer stands. */
export function withMore(network: Network, sent: unknown): Network {
  const given = (sent ?? {}) as { nodes?: unknown; edges?: unknown };
  const parties = new Map(network.parties);
  const edges = new Map(network.edges);
  let left = network.left;
  for (const entry of Array.isArray(given.nodes) ? given.nodes : []) {
    const party = readParty(entry);
    if (party) parties.set(party.id, party);
    else left++;
  }
  for (const entry of Array.isArray(given.edges) ? given.edges : []) {
    const edge = readEdge(entry);
    if (edge && parties.has(edge.source) && parties.has(edge.target)) edges.set(edge.id, edge);
    else left++;
  }
  return { parties, edges, left };
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By time, without a time first; then by id, so that the order never depends on the server's. */
export function inOrder(edges: Iterable<Edge>): Edge[] {
  const at = (edge: Edge): number => (edge.time === undefined ? -Infinity : instant(edge.time));
  return [...edges].sort((a, b) => {
    const [x, y] = [at(a), at(b)];
    return (x === y ? 0 : x - y) || byCode(a.time ?? "", b.time ?? "") || byCode(a.id, b.id);
  });
}

/** The different moments at which something happens, in order. */
export function moments(network: Network): string[] {
  const seen = new Map<number, string>();
  for (const edge of inOrder(network.edges.values())) {
    if (edge.time === undefined) continue;
    const at = instant(edge.time);
    if (!Number.isNaN(at) && !seen.has(at)) seen.set(at, edge.time);
  }
  return [...seen.values()];
}

/** Edges until a moment, that moment included. What has no time is always there. */
export function until(network: Network, moment: string | null): Edge[] {
  const edges = inOrder(network.edges.values());
  if (moment === null) return edges;
  const end = instant(moment);
  return edges.filter((edge) => edge.time === undefined || !(instant(edge.time) > end));
}

export function flows(edges: Iterable<Edge>): Flow[] {
  const bundles = new Map<string, { edges: Edge[]; sums: Map<string, Decimal> }>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.source, edge.target, edge.kind]);
    let bundle = bundles.get(key);
    if (!bundle) bundles.set(key, (bundle = { edges: [], sums: new Map() }));
    bundle.edges.push(edge);
    const amount = edge.amount === undefined ? null : readDecimal(edge.amount);
    if (amount) {
      const currency = edge.currency ?? "";
      const sum = bundle.sums.get(currency);
      bundle.sums.set(currency, sum ? add(sum, amount) : amount);
    }
  }
  return [...bundles]
    .sort(([a], [b]) => byCode(a, b))
    .map(([key, { edges: held, sums }]) => {
      const [source, target, kind] = JSON.parse(key) as [string, string, string];
      return { key, source, target, kind, edges: held, sums };
    });
}

/** Parties in the order of their ids. */
export function sorted(parties: Iterable<Party>): Party[] {
  return [...parties].sort((a, b) => byCode(a.id, b.id));
}
