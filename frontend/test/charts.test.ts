import { describe, expect, it } from "vitest";

import { bars, countReached, readSpread } from "../src/charts/distribution.ts";
import { niceStep, tickText, ticks, timeTicks, zoneOffset } from "../src/charts/scale.ts";
import { grouped, readTimeline } from "../src/charts/timeline.ts";
import { readDecimal } from "../src/base/decimal.ts";

describe("axes", () => {
  it("steps by 1, 2 or 5", () => {
    expect([niceStep(10, 5), niceStep(9, 3), niceStep(0.7, 4), niceStep(0, 5), niceStep(123456, 10)]).toEqual([2, 5, 0.2, 1, 20000]);
    expect(ticks(-3, 11, 5)).toEqual([0, 5, 10]);
    expect(Object.is(ticks(0, 4, 4)[0], 0)).toBe(true);
  });

  it("puts days at midnight of the zone, also where clocks change", () => {
    const from = Date.UTC(2026, 2, 27, 12);
    const found = timeTicks(from, from + 4 * 86_400_000, 4, "Europe/Berlin");
    expect(found.map(({ at }) => new Date(at).toISOString())).toEqual([
      "2026-03-27T23:00:00.000Z",
      "2026-03-28T23:00:00.000Z",
      "2026-03-29T22:00:00.000Z",
      "2026-03-30T22:00:00.000Z",
    ]);
    expect(tickText(found[0] as (typeof found)[number], "en-GB", "Europe/Berlin")).toBe("28 Mar");
    expect(zoneOffset(Date.UTC(2026, 0, 1), "Asia/Shanghai")).toBe(8 * 3_600_000);
  });

  it.each([1, 60, 86_400, 86_400 * 40, 86_400 * 4000, 86_400 * 40_000])("never gives many ticks: %i s", (seconds) => {
    const found = timeTicks(0, seconds * 1000, 6, "UTC");
    expect(found.length).toBeLessThanOrEqual(8);
    expect([...found].sort((a, b) => a.at - b.at)).toEqual(found);
  });
});

describe("distribution", () => {
  const spread = (values: unknown[], figure: unknown = "50000.00", comparator = ">=") => readSpread({ values, figure, comparator, unit: "CNY" });

  it("leaves out what is no number, and counts it", () => {
    expect(spread(["1", 2, "x", null, "1e5"])).toMatchObject({ left: 3 });
    expect(readSpread(null)).toMatchObject({ values: [], figure: null });
  });

  it("compares exactly", () => {
    const near = ["49999.999999999999999999", "50000", "50000.000000000000000001"];
    const counts = [">=", ">", "<=", "<"].map((comparator) => {
      const { values, figure } = spread(near, "50000", comparator);
      return countReached(values, figure as NonNullable<typeof figure>, comparator as ">=");
    });
    expect(counts).toEqual([2, 1, 2, 1]);
  });

  it.each([">=", ">", "<=", "<"])("has no bar on both sides of the figure: %s", (comparator) => {
    const values = ["41234.5", "49999.99999999999999999", "50000", "50000", "50001", "61000", "80000"];
    for (const most of [1, 3, 7, 20, 40]) {
      const found = bars(spread(values, "50000", comparator), most);
      expect(found.reduce((sum, bar) => sum + bar.count, 0)).toBe(7);
      for (const bar of found) expect([0, bar.count]).toContain(bar.reached);
      expect(found.some((bar) => bar.from === 50000)).toBe(true);
    }
  });

  it("draws one value, and none", () => {
    expect(bars(spread(["5"], null), 10).filter((bar) => bar.count > 0)).toHaveLength(1);
    expect(bars(spread(["50000"]), 10).find((bar) => bar.count > 0)).toMatchObject({ reached: 1 });
    expect(bars(spread([], null), 10)).toEqual([]);
  });
});

describe("timeline", () => {
  const sent = (times: string[]) => ({ items: times.map((time, i) => ({ id: `i${i}`, time, label: "x", lane: "a" })) });

  it("is in order of time, whatever came, and leaves out what has none", () => {
    const found = readTimeline({ ...sent(["2026-03-02", "never", "2026-03-01T00:00:00Z"]), now: "2026-03-05", lanes: ["b", 4] }, "now");
    expect(found.items.map((item) => item.id)).toEqual(["i2", "i0"]);
    expect(found.lanes).toEqual(["b", "a"]);
    expect(found.marks).toMatchObject([{ label: "now", kind: "now" }]);
    expect(readTimeline(null, "now")).toEqual({ items: [], marks: [], lanes: [] });
  });

  it("brings together what would overlap, and loses nobody", () => {
    const { items } = readTimeline(sent(["2026-03-01", "2026-03-02", "2026-03-09"]), "now");
    const groups = grouped(items, (at) => (at - Date.UTC(2026, 2, 1)) / 86_400_000, 3);
    expect(groups.map((group) => group.items.length)).toEqual([2, 1]);
    for (let i = 1; i < groups.length; i++) expect((groups[i]?.x ?? 0) - (groups[i - 1]?.x ?? 0)).toBeGreaterThanOrEqual(3);
  });
});

it("reads decimals and nothing else", () => {
  expect(["1", "-0.50", "+3", "1e3", "", "1,000", "0x1", "Infinity"].map((text) => readDecimal(text) !== null)).toEqual([true, true, true, false, false, false, false, false]);
});
