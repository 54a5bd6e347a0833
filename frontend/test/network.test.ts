import { describe, expect, it } from "vitest";

import { text } from "../src/base/decimal.ts";
import { choose, widthOf } from "../src/network/labels.ts";
import { place } from "../src/network/layout.ts";
import { EMPTY, flows, moments, until, withMore } from "../src/network/model.ts";
import { findWays } from "../src/network/paths.ts";
import { lineBetween } from "../src/network/shapes.ts";

type Sent = { nodes: Record<string, unknown>[]; edges: Record<string, unknown>[] };

/** `a>b@3` is an edge from a to b on the third day. */
function network(...edges: string[]): Sent {
  const ids = new Set<string>();
  const made = edges.map((edge, i) => {
    const [, source = "", target = "", day] = /^(\w+)>(\w+)(?:@(\d+))?$/.exec(edge) ?? [];
    ids.add(source).add(target);
    return { id: `e${i}`, source, target, kind: "transfer", label: "", ...(day && { time: `2026-03-${day.padStart(2, "0")}T00:00:00Z` }) };
  });
  return { nodes: [...ids].map((id) => ({ id, label: id.toUpperCase(), kind: "company" })), edges: made };
}

const build = (sent: unknown): typeof EMPTY => withMore(EMPTY, sent);
const edgesOf = (sent: Sent) => build(sent).edges.values();

describe("reading", () => {
  it("leaves out what it cannot draw, and counts it", () => {
    const found = build({ nodes: [{ id: "a" }, { label: "no id" }, null], edges: [{ id: "1", source: "a", target: "gone" }, { id: "2", source: "a", target: "a", kind: "x" }] });
    expect([...found.parties.keys()]).toEqual(["a"]);
    expect([...found.edges.keys()]).toEqual(["2"]);
    expect(found.left).toBe(3);
    expect(build(null).parties.size).toBe(0);
    expect(build({ nodes: "many" }).parties.size).toBe(0);
  });

  it("takes the newer of the same id", () => {
    const more = withMore(build({ nodes: [{ id: "a", label: "old", more: 4 }] }), { nodes: [{ id: "a", label: "new" }] });
    expect(more.parties.get("a")).toEqual({ id: "a", label: "new", kind: "party" });
  });
});

describe("flows", () => {
  it("sums exactly, by currency", () => {
    const edge = (id: string, amount: string, currency: string) => ({ id, source: "a", target: "b", kind: "t", amount, currency });
    const edges = [edge("1", "0.1", "CNY"), edge("2", "0.2", "CNY"), edge("3", "9007199254740993.01", "EUR"), edge("4", "much", "EUR")];
    const [flow, ...others] = flows(edgesOf({ nodes: [{ id: "a" }, { id: "b" }], edges }));
    expect(others).toEqual([]);
    expect([...(flow?.sums ?? [])].map(([currency, sum]) => [currency, text(sum)])).toEqual([
      ["CNY", "0.3"],
      ["EUR", "9007199254740993.01"],
    ]);
    expect(flow?.edges).toHaveLength(4);
  });

  it("ends with the moment, that moment included; what has no time is always there", () => {
    const found = build(network("a>b@1", "b>c@2", "c>d@3", "a>d"));
    expect(moments(found)).toEqual(["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"]);
    expect(until(found, "2026-03-02T08:00:00+08:00").map((edge) => edge.id)).toEqual(["e3", "e0", "e1"]);
    expect(until(found, null)).toHaveLength(4);
  });
});

describe("layout", () => {
  const sent = network("a>b", "b>c", "c>a", "c>d", "d>e", "f>g");
  sent.nodes.push({ id: "alone", label: "x", kind: "person" });

  it.each(["force", "layers"] as const)("is the same for the same network in any order: %s", (form) => {
    const turned = { nodes: [...sent.nodes].reverse(), edges: [...sent.edges].reverse() };
    const [one, other] = [place(build(sent), form), place(build(turned), form)];
    expect(new Map([...other].sort())).toEqual(new Map([...one].sort()));
    expect(one.size).toBe(8);
    expect(new Set([...one.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(8);
  });

  it("moves nobody when neighbours come in", () => {
    const before = place(build(sent), "force");
    const grown = withMore(build(sent), { nodes: [{ id: "h" }, { id: "i" }], edges: [{ id: "n", source: "a", target: "h" }, { id: "m", source: "a", target: "i" }] });
    const after = place(grown, "force", before);
    for (const [id, at] of before) expect(after.get(id)).toEqual(at);
    expect(after.get("h")).not.toEqual(after.get("i"));
  });

  it("puts owners above what they own, circles or not", () => {
    const at = place(build(network("a>b", "b>c", "c>b", "a>c", "c>d")), "layers");
    const y = (id: string): number => at.get(id)?.y ?? NaN;
    expect(y("a")).toBeLessThan(y("b"));
    expect(y("b")).toBeLessThan(y("c"));
    expect(y("c")).toBeLessThan(y("d"));
    expect(place(build(network("a>b", "b>a")), "layers").size).toBe(2);
  });
});

describe("ways", () => {
  const ask = (sent: Sent, from: string, to: string, directed = true, timely = true) => {
    const { ways, complete } = findWays(edgesOf(sent), { from, to, directed, timely });
    return { ways: ways.map((way) => way.parties.join("")), complete };
  };

  it("finds the shortest first", () => {
    expect(ask(network("a>b@1", "b>c@2", "c>d@3", "a>d@4", "b>d@2"), "a", "d")).toEqual({ ways: ["ad", "abd", "abcd"], complete: true });
  });

  it("passes money on only once it is there", () => {
    const sent = network("a>b@5", "b>c@3");
    expect(ask(sent, "a", "c")).toEqual({ ways: [], complete: true });
    expect(ask(sent, "a", "c", true, false).ways).toEqual(["abc"]);
    expect(ask(network("a>b@5", "b>c@3", "b>c@6"), "a", "c").ways).toEqual(["abc"]);
    // The early step leaves the later one open, though there is a step that came too late.
    expect(ask(network("a>b@9", "a>b@1", "b>c@3"), "a", "c").ways).toEqual(["abc"]);
    expect(ask(network("a>b", "b>c@3", "c>d"), "a", "d").ways).toEqual(["abcd"]);
  });

  it("goes against the direction only when it may", () => {
    const sent = network("b>a@1", "b>c@2");
    expect(ask(sent, "a", "c").ways).toEqual([]);
    expect(ask(sent, "a", "c", false, true).ways).toEqual(["abc"]);
  });

  it("says when it has not seen all", () => {
    const letters = [..."abcdefghijkl"];
    const full = network(...letters.flatMap((x) => letters.filter((y) => y !== x).map((y) => `${x}>${y}`)));
    expect(ask(full, "a", "l")).toMatchObject({ complete: false });
    expect(ask(full, "a", "l").ways).toHaveLength(10);
    const long = network(...letters.slice(1).map((y, i) => `${letters[i]}>${y}`));
    expect(ask(long, "a", "l")).toEqual({ ways: [], complete: false });
    expect(ask(long, "a", "i").ways).toEqual(["abcdefghi"]);
  });

  it("has no way from a party to itself, or to nobody", () => {
    expect(ask(network("a>b", "b>a"), "a", "a")).toEqual({ ways: [], complete: true });
    expect(ask(network("a>b"), "a", "zzz")).toEqual({ ways: [], complete: true });
  });
});

describe("names", () => {
  it("shows the heavier where two have no room", () => {
    const at = { x: 0, y: 0, size: 12 };
    const wanted = [{ id: "a", text: "first", weight: 1, ...at }, { id: "b", text: "second", weight: 2, ...at }];
    expect([...choose(wanted, [])]).toEqual(["b"]);
    expect([...choose(wanted.map((each) => ({ ...each, weight: Infinity })), [])].sort()).toEqual(["a", "b"]);
  });

  it("keeps off other parties, but for names that may cover them", () => {
    const wanted = { id: "a", text: "first", x: 0, y: 0, size: 12, weight: 1 };
    const dots = [{ x: 3, y: 5, r: 4 }];
    expect(choose([wanted], dots).size).toBe(0);
    expect(choose([{ ...wanted, over: true }], dots).size).toBe(1);
  });

  it("knows that Chinese signs are wide", () => {
    expect(widthOf("王小明")).toBe(3);
    expect(widthOf("abc")).toBeLessThan(2);
  });
});

describe("lines", () => {
  it.each([[{ x: 0, y: 0 }, 0], [{ x: 0, y: 0 }, 16], [{ x: 100, y: 0 }, 0], [{ x: 30, y: -40 }, -16]])("are numbers between any two places: %o", (to, bend) => {
    const line = lineBetween({ x: 0, y: 0 }, to, bend, 2, 1);
    expect(`${line.path}${line.head}${line.x}${line.y}`).not.toMatch(/NaN|Infinity/);
  });
});
