import { describe, expect, it } from "vitest";

import { bent, looped, middle, readFlows } from "../src/map/model.ts";
import { start } from "../src/map/index.ts";
import { spots } from "../src/map/label.ts";

function columns(...flows: [string, string, string, number][]): HTMLElement {
  const element = document.createElement("div");
  const paths = flows.map(([kind, from, to, count]) => `<path data-kind="${kind}" data-from="${from}" data-to="${to}" data-from-name="Name of ${from}" data-to-name="Name of ${to}" data-findings="${count}" stroke-width="4" d="M0 0"></path>`);
  element.innerHTML = `<svg>${paths.join("")}</svg>`;
  document.body.replaceChildren(element);
  return element;
}

describe("flows on a map", () => {
  it("reads them from the columns and counts those without a place", () => {
    const model = readFlows(columns(["data", "CN", "US", 3], ["money", "", "US", 1], ["data", "ZZ", "SG", 1], ["money", "HK", "SG", 2]));
    expect(model.left).toBe(2);
    expect(model.flows).toEqual([
      { kind: "data", from: "CN", to: "US", findings: 3, width: 4 },
      { kind: "money", from: "HK", to: "SG", findings: 2, width: 4 },
    ]);
    expect(model.places.map((place) => place.code)).toEqual(["US", "CN", "SG", "HK"]);
    expect(model.places[0]?.name).toBe("Name of US");
  });

  it("looks at the side of the world on which the places are", () => {
    expect(middle([104, -99])).toBeCloseTo(-177.5);
    expect(middle([2.5, 10.5])).toBeCloseTo(6.5);
    expect(middle([103.8])).toBeCloseTo(103.8);
    expect(middle([-170, 170])).toBeCloseTo(-180);
  });

  it("bends both ways and both kinds apart", () => {
    const lines = [bent([0, 0], [10, 0], "data"), bent([10, 0], [0, 0], "data"), bent([0, 0], [10, 0], "money"), looped([5, 5], "data")];
    expect(new Set(lines).size).toBe(4);
    expect(lines[0]).toBe("M0 0Q5 1.8 10 0");
    expect(lines[1]).toBe("M10 0Q5 -1.8 0 0");
  });

  it("writes names beside their points without covering one another", () => {
    const points = [
      { name: "China", x: 100, y: 100, weight: 5 },
      { name: "Hong Kong", x: 104, y: 112, weight: 3 },
      { name: "Macao", x: 98, y: 112, weight: 1 },
    ];
    const found = spots(points, 13, 5, 400, 200);
    expect(found[0]).toEqual({ x: 100, y: 100 - 5 - 13 * 1.35 });
    expect(new Set(found.map((spot) => `${spot?.x} ${spot?.y}`)).size).toBe(3);
    expect(spots([{ name: "A name as long as the frame", x: 10, y: 10, weight: 1 }], 13, 5, 40, 40)).toEqual([null]);
  });

  it("keeps the columns beside the map, and leaves them alone where it has no place", () => {
    const element = columns(["data", "CN", "US", 3]);
    start(element);
    expect(element.querySelector("details path[data-from='CN']")).not.toBeNull();
    expect(element.querySelector("[role='status']")?.textContent).toContain("Point at a place");
    const other = columns(["data", "", "US", 1]);
    start(other);
    expect(other.querySelector("details")).toBeNull();
  });
});
