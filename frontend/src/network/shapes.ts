/** A shape for each kind of party: told apart without colour. Each path lies around (0, 0). */

const SHAPES: Record<string, string> = {
  person: "M0,-11A11,11 0 1 1 0,11A11,11 0 1 1 0,-11Z",
  company: "M-10,-10H10V10H-10Z",
  account: "M-13,-8H13V8H-13Z",
  institution: "M0,-12L13,-3V10H-13V-3Z",
  country: "M0,-13L11.3,-6.5V6.5L0,13L-11.3,6.5V-6.5Z",
  wallet: "M0,-13L13,0L0,13L-13,0Z",
};

const OTHER = "M-5,-11H5L11,-5V5L5,11H-5L-11,5V-5Z";

export function shapeOf(kind: string): string {
  return SHAPES[kind] ?? OTHER;
}

/** How far from its middle a flow ends, so that its head is seen. */
export const REACH = 17;

export interface Line {
  readonly path: string;
  readonly head: string;
  /** Where its text goes. */
  readonly x: number;
  readonly y: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const fixed = (value: number): string => (Math.round(value * 10) / 10).toString();

function headAt(tip: Point, dx: number, dy: number, size: number): string {
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const [long, half] = [size, size * 0.52];
  const [bx, by] = [tip.x - ux * long, tip.y - uy * long];
  return `M${fixed(tip.x)},${fixed(tip.y)}L${fixed(bx - uy * half)},${fixed(by + ux * half)}L${fixed(bx + uy * half)},${fixed(by - ux * half)}Z`;
}

/**
 * A curve from one party to another; `bend` to its right keeps several apart. `unit` is by how much
 * signs are drawn larger than usual.
 */
export function lineBetween(from: Point, to: Point, bend: number, width: number, unit: number): Line {
  const head = (6 + width * 1.6) * unit;
  const reach = REACH * unit;
  if (from.x === to.x && from.y === to.y) {
    const r = fixed((13 + Math.abs(bend) / 3) * unit);
    const [x, y] = [from.x, from.y - 2 * reach];
    const path = `M${fixed(from.x - 9 * unit)},${fixed(from.y - 13 * unit)}A${r},${r} 0 1 1 ${fixed(from.x + 9 * unit)},${fixed(from.y - 13 * unit)}`;
    return { path, head: headAt({ x: from.x + 9 * unit, y: from.y - 13 * unit }, -0.3, 1, head), x, y };
  }
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  const control = {
    x: (from.x + to.x) / 2 - (dy / length) * bend * 2,
    y: (from.y + to.y) / 2 + (dx / length) * bend * 2,
  };
  const towards = (point: Point, reach: number): Point => {
    const [cx, cy] = [control.x - point.x, control.y - point.y];
    const far = Math.hypot(cx, cy) || 1;
    return { x: point.x + (cx / far) * reach, y: point.y + (cy / far) * reach };
  };
  const start = towards(from, reach - 3);
  const tip = towards(to, reach);
  const [hx, hy] = [to.x - control.x, to.y - control.y];
  const end = towards(to, reach + head - 2);
  return {
    path: `M${fixed(start.x)},${fixed(start.y)}Q${fixed(control.x)},${fixed(control.y)} ${fixed(end.x)},${fixed(end.y)}`,
    head: headAt(tip, hx, hy, head),
    x: (start.x + 2 * control.x + end.x) / 4,
    y: (start.y + 2 * control.y + end.y) / 4,
  };
}
