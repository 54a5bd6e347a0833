/** Which names are shown: as many as have room, the important ones first. */

export interface Wanted {
  readonly id: string;
  /** Pixels. */
  readonly size: number;
  readonly text: string;
  /** Middle of the upper edge of the text, in pixels of the screen. */
  readonly x: number;
  readonly y: number;
  /** Higher comes first; the infinite are shown in any case. */
  readonly weight: number;
  /** May cover parties, but no other text. */
  readonly over?: boolean;
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

/** Width of a text in units of its size, near enough for finding room. */
export function widthOf(text: string): number {
  let width = 0;
  for (const sign of text) width += WIDE.test(sign) || sign > "\uffff" ? 1 : 0.56;
  return width;
}

/** The ids whose texts fit without covering another text or a party (`dots`, with half their size). */
export function choose(wanted: readonly Wanted[], dots: readonly { x: number; y: number; r: number }[]): Set<string> {
  const order = [...wanted].sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  const boxes: [number, number, number, number][] = [];
  const shown = new Set<string>();
  for (const each of order) {
    const half = (widthOf(each.text) * each.size) / 2 + 2;
    const box: [number, number, number, number] = [each.x - half, each.y, each.x + half, each.y + each.size * 1.25];
    const free =
      each.weight === Infinity ||
      (boxes.every(([l, t, r, b]) => box[2] <= l || box[0] >= r || box[3] <= t || box[1] >= b) &&
        (each.over || dots.every(({ x, y, r }) => box[2] <= x - r || box[0] >= x + r || box[3] <= y - r || box[1] >= y + r)));
    if (!free) continue;
    boxes.push(box);
    shown.add(each.id);
  }
  return shown;
}
