/** Where the names of places stand: beside their points, without covering one another. */

import { widthOf } from "../network/labels.ts";

export interface Point {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Higher comes first. */
  readonly weight: number;
}

export interface Spot {
  /** Middle of the text and its upper edge. */
  readonly x: number;
  readonly y: number;
}

type Box = readonly [number, number, number, number];

const apart = (a: Box, b: Box): boolean => a[2] <= b[0] || a[0] >= b[2] || a[3] <= b[1] || a[1] >= b[3];

/** For each point a spot below, above, right or left of it; null where there is no room in the frame. */
export function spots(points: readonly Point[], size: number, dot: number, width: number, height: number): (Spot | null)[] {
  const boxes: Box[] = points.map(({ x, y }) => [x - dot, y - dot, x + dot, y + dot]);
  const found: (Spot | null)[] = points.map(() => null);
  const order = points.map((point, number) => ({ point, number })).sort((a, b) => b.point.weight - a.point.weight || a.number - b.number);
  for (const { point, number } of order) {
    const half = (widthOf(point.name) * size) / 2;
    const x = Math.max(half + 4, Math.min(width - half - 4, point.x));
    const sides: Spot[] = [
      { x, y: point.y + dot + 2 },
      { x, y: point.y - dot - size * 1.35 },
      { x: point.x + half + dot + 4, y: point.y - size * 0.65 },
      { x: point.x - half - dot - 4, y: point.y - size * 0.65 },
    ];
    for (const side of sides) {
      const box: Box = [side.x - half, side.y, side.x + half, side.y + size * 1.25];
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height || !boxes.every((other) => apart(box, other))) continue;
      boxes.push(box);
      found[number] = side;
      break;
    }
  }
  return found;
}
