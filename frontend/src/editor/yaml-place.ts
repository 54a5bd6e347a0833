/**
 * Where in a YAML document a place is, found by indentation: it also works while a line is half typed,
 * when no parser could read the document.
 */

/** An entry of a list, whichever. */
export const ENTRY = Symbol("entry");
export type Step = string | typeof ENTRY;

export interface YamlPlace {
  /** Keys and entries from the top down to the mapping (`at` key) or the value (`at` value). */
  readonly path: readonly Step[];
  readonly at: "key" | "value";
  /** Column, from 0, at which the key or value begins. */
  readonly from: number;
  /** What is written from there to the place. */
  readonly written: string;
  /** Keys that the mapping has already; only for `at` key. */
  readonly taken: ReadonlySet<string>;
}

interface Line {
  /** Columns of the dashes that begin entries. */
  readonly dashes: readonly number[];
  readonly indent: number;
  readonly key: string | null;
  /** Column at which the value begins. */
  readonly value: number;
  readonly empty: boolean;
}

const KEY = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#{}[\],"'&*!|>%@`-][^#{}[\],]*?|-[^\s#{}[\],][^#{}[\],]*?))\s*:(?=\s|$)/;

export function readLine(line: string): Line {
  const dashes: number[] = [];
  let at = line.length - line.trimStart().length;
  while (/^-(\s|$)/.test(line.slice(at))) {
    dashes.push(at);
    const rest = line.slice(at + 1);
    at += 1 + rest.length - rest.trimStart().length;
  }
  const content = line.slice(at);
  const empty = (content === "" && dashes.length === 0) || content.startsWith("#");
  const match = KEY.exec(content);
  if (!match) return { dashes, indent: at, key: null, value: at, empty };
  const after = content.slice(match[0].length);
  const value = at + match[0].length + after.length - after.trimStart().length;
  return { dashes, indent: at, key: match[1] ?? match[2] ?? match[3] ?? "", value, empty };
}

/** Keys and entries above a line whose content begins at `indent`; null within a text of several lines. */
function above(lines: readonly string[], row: number, indent: number, dashes: readonly number[]): Step[] | null {
  const path: Step[] = [];
  let limit = indent;
  let inList = false;
  const enter = (marks: readonly number[]): void => {
    for (const dash of [...marks].reverse()) {
      if (dash >= limit) continue;
      path.unshift(ENTRY);
      limit = dash;
      inList = true;
    }
  };
  enter(dashes);
  for (let r = row - 1; r >= 0 && (limit > 0 || inList); r--) {
    const line = readLine(lines[r] ?? "");
    if (line.empty) continue;
    // A list may stand at the indent of its own key.
    const parent = line.key !== null && (line.indent < limit || (inList && line.indent === limit && line.dashes.length === 0));
    if (parent) {
      if (/^[|>][-+\d]*\s*(#.*)?$/.test((lines[r] ?? "").slice(line.value))) return null;
      path.unshift(line.key as string);
      limit = line.indent;
      inList = false;
      enter(line.dashes);
    } else if (!inList && line.indent <= limit) enter(line.dashes);
    else if (inList && line.dashes.length > 0) enter(line.dashes.filter((dash) => dash < limit));
  }
  return path;
}

function taken(lines: readonly string[], row: number, indent: number, startsEntry: boolean): Set<string> {
  const keys = new Set<string>();
  for (let r = row - 1; r >= 0 && !startsEntry; r--) {
    const line = readLine(lines[r] ?? "");
    if (line.empty) continue;
    if (line.indent < indent) break;
    if (line.indent === indent && line.key !== null) keys.add(line.key);
    if (line.indent === indent && line.dashes.length > 0) break;
  }
  for (let r = row + 1; r < lines.length; r++) {
    const line = readLine(lines[r] ?? "");
    if (line.empty) continue;
    if (line.indent < indent || (line.dashes[0] ?? indent) < indent) break;
    if (line.indent === indent && line.key !== null) keys.add(line.key);
  }
  return keys;
}

interface Opened {
  sign: "{" | "[";
  /** Where the present item begins. */
  from: number;
  key: string | null;
  taken: Set<string>;
}

/** The brackets that are open at the end of a text, with what the present item of each is. */
function opened(text: string, offset: number): Opened[] | null {
  const stack: Opened[] = [];
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const sign = text[i] as string;
    const top = stack[stack.length - 1];
    if (quote) {
      if (sign === "\\" && quote === '"') i++;
      else if (sign === quote) quote = "";
    } else if ((sign === '"' || sign === "'") && /[\s{[,:]/.test(text[i - 1] ?? " ")) quote = sign;
    else if (sign === "{" || sign === "[") {
      if (stack.length > 0 || i === 0) stack.push({ sign, from: offset + i + 1, key: null, taken: new Set() });
    } else if (!top) continue;
    else if (sign === "}" || sign === "]") stack.pop();
    else if (sign === ",") {
      top.from = offset + i + 1;
      top.key = null;
    } else if (sign === ":" && top.sign === "{" && top.key === null && /\s|^$/.test(text[i + 1] ?? "")) {
      top.key = text.slice(top.from - offset, i).trim().replace(/^["']|["']$/g, "");
      top.taken.add(top.key);
      top.from = offset + i + 1;
    }
  }
  return quote ? null : stack;
}

/** Where column `column` (from 0) of line `row` (from 0) is; null within texts and comments. */
export function placeAt(lines: readonly string[], row: number, column: number): YamlPlace | null {
  const whole = lines[row] ?? "";
  const written = whole.slice(0, column);
  if (/(^|\s)#/.test(written.replace(/"[^"]*"|'[^']*'/g, ""))) return null;
  const line = readLine(written);
  const indent = written.trim() === "" ? column : line.indent;
  const path = above(lines, row, indent, line.dashes);
  if (path === null) return null;
  const start = line.key === null ? line.indent : line.value;
  const brackets = opened(written.slice(start), start);
  if (brackets === null) return null;
  if (line.key !== null) path.push(line.key);
  for (const bracket of brackets.slice(0, -1)) {
    if (bracket.sign === "[") path.push(ENTRY);
    if (bracket.key !== null) path.push(bracket.key);
  }
  const last = brackets[brackets.length - 1];
  if (last) {
    const skipped = written.slice(last.from).length - written.slice(last.from).trimStart().length;
    const from = last.from + skipped;
    if (last.sign === "[") path.push(ENTRY);
    if (last.key !== null) path.push(last.key);
    const at = last.sign === "[" || last.key !== null ? "value" : "key";
    return { path, at, from, written: written.slice(from), taken: last.taken };
  }
  if (line.key !== null) return { path, at: "value", from: start, written: written.slice(start), taken: new Set() };
  return {
    path,
    at: "key",
    from: indent,
    written: written.slice(indent),
    taken: taken(lines, row, indent, line.dashes.length > 0),
  };
}
