/** Faults that the server finds, at their places in the text, with the fix where one is meant. */

import type { Text } from "@codemirror/state";

export interface Fault {
  /** Both from 1; a column counts code points, as Python does. */
  readonly line: number;
  readonly column: number;
  readonly end_column?: number;
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly hint?: string;
  /** What stands in place of the marked text; where it is missing, it is read from the hint. */
  readonly replacement?: string;
}

/** Faults from a list, or from the API's `{"faults": [...]}`. Entries without a place are put on line 1. */
export function readFaults(answer: unknown): Fault[] {
  const list = Array.isArray(answer) ? answer : ((answer ?? {}) as { faults?: unknown }).faults;
  if (!Array.isArray(list)) throw new Error("the answer is not a list of faults");
  return list.map((entry: unknown): Fault => {
    const given = (entry ?? {}) as Record<string, unknown>;
    const number = (value: unknown): number => (typeof value === "number" && value >= 1 ? Math.trunc(value) : 1);
    const text = (value: unknown): string => (typeof value === "string" ? value : "");
    return {
      line: number(given["line"]),
      column: number(given["column"]),
      code: text(given["code"]),
      severity: given["severity"] === "warning" ? "warning" : "error",
      message: text(given["message"]),
      ...(typeof given["end_column"] === "number" && { end_column: given["end_column"] }),
      ...(text(given["hint"]) && { hint: text(given["hint"]) }),
      ...(typeof given["replacement"] === "string" && { replacement: given["replacement"] }),
    };
  });
}

/** What the hint says was meant: `did you mean 'version'?` */
export function meant(fault: Fault): string | null {
  if (fault.replacement !== undefined) return fault.replacement;
  const match = /^did you mean (?:'([^']+)'|"([^"]+)"|([^\s'"?]+))\?$/.exec(fault.hint ?? "");
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? null;
}

export interface Marked {
  readonly from: number;
  readonly to: number;
  /** What to write there in its stead; null where nothing is known. */
  readonly fix: string | null;
}

/** Code points before an offset of UTF-16 units, turned around. */
function offsetOf(line: string, column: number): number {
  let offset = 0;
  for (let i = 1; i < column && offset < line.length; i++) offset += (line.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

/**
 * The part of the text that a fault is about. Where the message quotes a word that stands on the line
 * from the column on, it is that word, and only then, or with an end, a fix is offered: a fix must never
 * overwrite what was not meant.
 */
export function mark(doc: Text, fault: Fault): Marked {
  const line = doc.line(Math.min(fault.line, doc.lines));
  const start = fault.line > doc.lines ? line.length : offsetOf(line.text, fault.column);
  const fix = meant(fault);
  if (fault.end_column !== undefined && fault.end_column > fault.column) {
    return { from: line.from + start, to: line.from + offsetOf(line.text, fault.end_column), fix };
  }
  const quoted = [...fault.message.matchAll(/'([^']+)'|"([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? "");
  for (const word of quoted) {
    for (let at = line.text.indexOf(word, start); at >= 0; at = line.text.indexOf(word, at + 1)) {
      const around = (line.text[at - 1] ?? " ") + (line.text[at + word.length] ?? " ");
      if (/[\w.-]/.test(around[0] ?? "") && /^[\w]/.test(word)) continue;
      if (/[\w]/.test(around[1] ?? "") && /[\w]$/.test(word)) continue;
      return { from: line.from + at, to: line.from + at + word.length, fix };
    }
  }
  const word = /^[\p{L}\p{N}_.-]+/u.exec(line.text.slice(start))?.[0].length ?? 0;
  return { from: line.from + start, to: line.from + Math.min(line.length, start + Math.max(word, 1)), fix: null };
}
