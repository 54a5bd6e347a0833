import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { TEXTS as BEHAVIOURS } from "../src/behaviours/texts.ts";
import { TEXTS as CHARTS } from "../src/charts/texts.ts";
import { TEXTS as EDITOR } from "../src/editor/texts.ts";
import { TEXTS as NETWORK } from "../src/network/texts.ts";
import { add, compare, readDecimal, text } from "../src/base/decimal.ts";
import { amount, relative, shortened, when } from "../src/base/format.ts";
import { Refused, askJson, ownAddress } from "../src/base/http.ts";
import { forgetAll, forgetOthers, forgetSaved, keep, kept, keptName } from "../src/base/kept.ts";
import { fillIn, sayFor } from "../src/base/messages.ts";

beforeEach(() => {
  document.head.replaceChildren();
  document.body.replaceChildren();
  document.documentElement.lang = "en";
  sessionStorage.clear();
});
afterEach(() => vi.unstubAllGlobals());

describe.each([
  ["behaviours", BEHAVIOURS],
  ["network", NETWORK],
  ["charts", CHARTS],
  ["editor", EDITOR],
])("texts of %s", (_, { en, zh }) => {
  it("are there in both languages with the same values", () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    const values = (said: string): string[] => [...new Set([...said.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ""))].sort();
    for (const [key, said] of Object.entries(en)) {
      const other = (zh as Record<string, string>)[key] ?? "";
      expect(other.trim(), key).not.toBe("");
      expect(values(other), key).toEqual(values(said));
    }
    for (const said of Object.values(zh)) if (said !== "YAML") expect(said).toMatch(/[\u4e00-\u9fff]/);
  });
});

describe("texts", () => {
  it("choose by number, and leave what is not known", () => {
    const ways = "{count} {count|way|ways} of {what}";
    expect(fillIn(ways, { count: 1 }, "en")).toBe("1 way of {what}");
    expect(fillIn(ways, { count: 1200 }, "en")).toBe("1,200 ways of {what}");
  });

  it("come in the language of the nearest element", () => {
    document.body.innerHTML = '<div lang="zh-Hans"><p id="x"></p></div>';
    expect(sayFor(document.getElementById("x") as HTMLElement, BEHAVIOURS)("help_close")).toBe("关闭");
    expect(sayFor(document.body, BEHAVIOURS)("help_close")).toBe("Close");
  });
});

describe("numbers and times", () => {
  it("add and compare exactly", () => {
    const [a, b] = [readDecimal("0.1"), readDecimal("-12345678901234567890.25")];
    expect(text(add(a as never, b as never))).toBe("-12345678901234567890.15");
    expect(compare(readDecimal("1.50") as never, readDecimal("1.5") as never)).toBe(0);
    expect(text(readDecimal("-0.05") as never)).toBe("-0.05");
  });

  it("shows amounts with all of their digits", () => {
    expect(amount("12345678901234567.10", "CNY", "en")).toBe("CNY\u00a012,345,678,901,234,567.10");
    expect(amount("a lot", undefined, "en")).toBe("a lot");
  });

  it("never moves a day by a zone", () => {
    expect(when("2026-03-01", "en", "America/New_York")).toBe("Mar 1, 2026");
    expect(when("2026-03-01T00:30:00Z", "en", "America/New_York")).toContain("Feb 28, 2026");
    expect(when("some day", "en", undefined)).toBe("some day");
  });

  it.each([
    [-30, "now"],
    [-61, "1 minute ago"],
    [-7300, "2 hours ago"],
    [90_000, "tomorrow"],
    [-86_400 * 800, "2 years ago"],
  ])("says %i seconds", (seconds, said) => {
    expect(relative(seconds * 1000, 0, "en")).toBe(said);
  });

  it("cuts whole signs", () => {
    expect(shortened("𠮷野家𠮷野家", 4)).toBe("𠮷野家…");
    expect(shortened("abc", 3)).toBe("abc");
    expect(shortened("x".repeat(10_000), 5)).toBe("xxxx…");
  });
});

describe("asking the server", () => {
  const answer = (status: number, said: string): void => {
    vi.stubGlobal("fetch", vi.fn(async () => new Response(said, { status })));
  };

  it("asks no other host", async () => {
    const asked = vi.fn();
    vi.stubGlobal("fetch", asked);
    for (const url of ["https://elsewhere.example/x", "//elsewhere.example/x", "javascript:alert(1)", "data:,x"]) {
      expect(ownAddress(url), url).toBeNull();
      await expect(askJson(url)).rejects.toThrow(Refused);
    }
    expect(asked).not.toHaveBeenCalled();
  });

  it("tells what the problem was", async () => {
    answer(422, '{"title": "Bad", "detail": "line 3"}');
    await expect(askJson("/x")).rejects.toMatchObject({ status: 422, message: "line 3" });
    answer(502, "<html>");
    await expect(askJson("/x")).rejects.toMatchObject({ status: 502 });
    answer(200, "<html>");
    await expect(askJson("/x")).rejects.toThrow("not JSON");
  });

  it("carries the token only where something is changed", async () => {
    document.head.innerHTML = '<meta name="csrf-token" content="t1">';
    const sent: Headers[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      sent.push(init.headers as Headers);
      return new Response("{}");
    });
    await askJson("/x");
    await askJson("/x", { method: "POST", body: {} });
    expect(sent.map((headers) => headers.get("X-CSRF-Token"))).toEqual([null, "t1"]);
  });
});

describe("kept text", () => {
  const entry = { text: "typed", base: "", at: 1, sent: false };
  const user = (name: string): void => {
    document.head.innerHTML = `<meta name="user" content="${name}">`;
  };

  it("belongs to a person, a page and a field", () => {
    user("li");
    keep(keptName("note"), entry);
    expect(kept(keptName("note"))).toEqual(entry);
    expect(kept(keptName("other"))).toBeNull();
    user("wang");
    expect(kept(keptName("note"))).toBeNull();
  });

  it("is thrown away for somebody else, but not by the login page", () => {
    user("li");
    keep(keptName("note"), entry);
    document.head.replaceChildren();
    forgetOthers();
    user("li");
    expect(kept(keptName("note"))).toEqual(entry);
    user("wang");
    forgetOthers();
    user("li");
    expect(kept(keptName("note"))).toBeNull();
  });

  it("goes when the server has it, and on signing out", () => {
    for (const field of ["a", "b", "c"]) keep(keptName(field), entry);
    document.body.innerHTML = '<p data-saved="a b">Saved.</p>';
    forgetSaved();
    expect(["a", "b", "c"].map((field) => kept(keptName(field)) !== null)).toEqual([false, false, true]);
    sessionStorage.setItem("somebody else's", "x");
    forgetAll();
    expect(kept(keptName("c"))).toBeNull();
    expect(sessionStorage.getItem("somebody else's")).toBe("x");
  });

  it("survives what others wrote under its name", () => {
    for (const odd of ["{", "null", "7", '{"text": 3}']) {
      sessionStorage.setItem(keptName("x"), odd);
      expect(kept(keptName("x")), odd).toBeNull();
    }
  });
});
