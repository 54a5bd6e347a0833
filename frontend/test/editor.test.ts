import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";

import { completionsAt } from "../src/editor/complete.ts";
import { mark, meant, readFaults } from "../src/editor/faults.ts";
import { type Schema, describe as described, keysAt, schemasAt, wordsAt } from "../src/editor/schema.ts";
import { ENTRY, placeAt } from "../src/editor/yaml-place.ts";

/** The place of `^` in a text: its path in one line, and what is said of it. */
function at(text: string) {
  const lines = text.split("\n");
  const row = lines.findIndex((line) => line.includes("^"));
  const column = lines[row]?.indexOf("^") ?? 0;
  lines[row] = (lines[row] ?? "").replace("^", "");
  const place = placeAt(lines, row, column);
  return place && { ...place, path: place.path.map((step) => (step === ENTRY ? "-" : step)).join("/"), taken: [...place.taken].sort().join(" ") };
}

describe("where a place is", () => {
  it.each([
    ["^", "", "key"],
    ["pa^", "", "key"],
    ["pack: ^", "pack", "value"],
    ["rules:\n  - id: x\n    ^", "rules/-", "key"],
    ["rules:\n  - id: x\n    wh^: y", "rules/-", "key"],
    ["rules:\n- id: x\n  wh^", "rules/-", "key"],
    ["rules:\n  - ^", "rules/-", "key"],
    ["rules:\n  - id: ^x", "rules/-/id", "value"],
    ["rules:\n  - id: x\n    alert:\n      ^", "rules/-/alert", "key"],
    ["rules:\n  - id: x\n    alert:\n      kind: a\n    ^", "rules/-", "key"],
    ["rules:\n  - id: x\n  - ^", "rules/-", "key"],
    ["rules:\n  - id: x\n    tests:\n      - name: t\n        events:\n          - ^", "rules/-/tests/-/events/-", "key"],
    ["rules:\n  - id: x\n    tests:\n      - name: t\n  - ^", "rules/-", "key"],
    ["rules:\n  - id: x\n\n    # a word\n    ^", "rules/-", "key"],
    ["params:\n  a_b:\n    value: ^", "params/a_b/value", "value"],
    ["title: {en: a, ^", "title", "key"],
    ["title: {en: ^", "title/en", "value"],
    ["title: {en: \"a, b\", zh: ^", "title/zh", "value"],
    ["x: {a: {b: 1}, c: {d^", "x/c", "key"],
    ["rules:\n  - {id: x, alert: {kind: ^", "rules/-/alert/kind", "value"],
    ["on: [a, ^", "on/-", "value"],
    ['"quo ted":\n  ^', "quo ted", "key"],
    ["a:\n  b: 1\nc:\n  ^", "c", "key"],
  ])("%j", (text, path, kind) => {
    expect(at(text)).toMatchObject({ path, at: kind });
  });

  it("is nowhere in comments and in texts of several lines", () => {
    expect(at("# when^")).toBeNull();
    expect(at("a: b # when^")).toBeNull();
    expect(at("explain:\n  en: |\n    some wo^")).toBeNull();
    expect(at('a: {en: "some, wo^')).toBeNull();
  });

  it("knows the keys that are there already", () => {
    expect(at("rules:\n  - id: x\n    on: t\n    ^\n    per: c\n  - title: y")?.taken).toBe("id on per");
    expect(at("rules:\n  - id: x\n  - ^\n    on: t")?.taken).toBe("on");
    expect(at("title: {en: a, ^")?.taken).toBe("en");
  });
});

const SCHEMA: Schema = {
  properties: {
    title: { $ref: "#/$defs/text" },
    rules: { type: "array", items: { $ref: "#/$defs/rule" } },
    params: { type: "object", additionalProperties: { properties: { basis: { enum: ["law", "default"], description: "a default is never law" } } } },
    flag: { type: "boolean" },
  },
  required: ["title"],
  $defs: {
    text: { type: "object", properties: { en: { type: "string" }, zh: { type: "string" } } },
    rule: { type: "object", properties: { on: { anyOf: [{ enum: ["a", "b"] }, { type: "array", items: { enum: ["a", "b"] } }], description: "types" }, when: { $ref: "#/$defs/expression" } } },
    expression: { description: "An expression.", examples: ["amount", "payee.id"], "x-functions": [{ name: "sum", signature: "sum(value, over=…)", doc: "total" }] },
    loop: { $ref: "#/$defs/loop" },
  },
};

describe("what the schema says", () => {
  it("follows references, alternatives, lists and maps", () => {
    expect(keysAt(SCHEMA, []).map(({ key, required, value }) => [key, required, value])).toEqual([
      ["title", true, "mapping"],
      ["rules", false, "list"],
      ["params", false, "mapping"],
      ["flag", false, "simple"],
    ]);
    expect(wordsAt(SCHEMA, ["rules", ENTRY, "on"])).toEqual(["a", "b"]);
    expect(wordsAt(SCHEMA, ["rules", ENTRY, "on", ENTRY])).toEqual(["a", "b"]);
    expect(wordsAt(SCHEMA, ["params", "whatever", "basis"])).toEqual(["law", "default"]);
    expect(wordsAt(SCHEMA, ["flag"])).toEqual(["true", "false"]);
    expect(described(schemasAt(SCHEMA, ["rules", ENTRY, "on"]))).toBe("types");
    expect(keysAt(SCHEMA, ["nothing", "here"])).toEqual([]);
    expect(schemasAt({ $ref: "#/$defs/loop", $defs: { loop: { $ref: "#/$defs/loop" } } }, [])).toEqual([]);
  });

  it("offers what can stand there", () => {
    const offer = (text: string) => {
      const lines = text.split("\n");
      const row = lines.findIndex((line) => line.includes("^"));
      const column = lines[row]?.indexOf("^") ?? 0;
      lines[row] = (lines[row] ?? "").replace("^", "");
      const place = placeAt(lines, row, column);
      const found = place && completionsAt(SCHEMA, place, false);
      return found && { from: found.from, labels: found.options.map((option) => option.label) };
    };
    expect(offer("title: x\nfl^")).toEqual({ from: 0, labels: ["rules", "params", "flag"] });
    expect(offer("rules:\n  - when: amount > su^")).toEqual({ from: 19, labels: ["sum", "amount", "payee.id"] });
    expect(offer("params:\n  x: {basis: ^")).toEqual({ from: 13, labels: ["law", "default"] });
  });
});

describe("faults", () => {
  const fault = (message: string, hint = "", line = 1, column = 1, more = {}) =>
    readFaults({ faults: [{ line, column, code: "RL1", severity: "error", message, hint, ...more }] })[0] as ReturnType<typeof readFaults>[number];

  it("reads what the API gives, or a list, and refuses the rest", () => {
    expect(readFaults([{ line: 0, column: -3, message: 7, severity: "odd" }])).toEqual([{ line: 1, column: 1, code: "", severity: "error", message: "" }]);
    expect(() => readFaults("no")).toThrow();
    expect(readFaults({ faults: [] })).toEqual([]);
  });

  it.each([
    ["did you mean 'version'?", "version"],
    ["did you mean when?", "when"],
    ['did you mean "a b"?', "a b"],
    ["one of a, b", null],
    ["did you mean 'x'? or not", null],
    ["", null],
  ])("reads %j", (hint, word) => {
    expect(meant(fault("", hint))).toBe(word);
  });

  it("marks the word that the message quotes, and offers to replace that and nothing else", () => {
    const doc = Text.of(["pack: x", "versoin: 1.0.0", "  when: amont > amonta and amont"]);
    const word = (found: ReturnType<typeof mark>) => [doc.sliceString(found.from, found.to), found.fix];
    expect(word(mark(doc, fault("a pack has no key 'versoin'", "did you mean 'version'?", 2)))).toEqual(["versoin", "version"]);
    expect(word(mark(doc, fault("no field 'amonta'", "did you mean 'amount'?", 3, 9)))).toEqual(["amonta", "amount"]);
    expect(word(mark(doc, fault("no field 'amont'", "did you mean 'amount'?", 3, 15)))).toEqual(["amont", "amount"]);
    expect(mark(doc, fault("no field 'amont'", "did you mean 'amount'?", 3, 15)).from).toBe(doc.line(3).from + 27);
    // The word is not where the fault is: shown, but nothing is offered.
    expect(word(mark(doc, fault("no field 'other'", "did you mean 'amount'?", 3, 9)))).toEqual(["amont", null]);
    expect(word(mark(doc, fault("odd", "", 3, 9, { end_column: 14, replacement: "amount" })))).toEqual(["amont", "amount"]);
  });

  it("counts columns in code points, and stays within the text", () => {
    const doc = Text.of(["title: 𠮷野 versoin"]);
    expect(doc.sliceString(...((found) => [found.from, found.to] as const)(mark(doc, fault("", "", 1, 11))))).toBe("versoin");
    for (const [line, column] of [[1, 99], [99, 1], [1, 20]] as const) {
      const { from, to } = mark(doc, fault("x", "", line, column));
      expect(from).toBeLessThanOrEqual(to);
      expect(to).toBeLessThanOrEqual(doc.length);
    }
  });
});
