/**
 * Texts in both languages. Each module brings its own catalogue; the language is that of the nearest
 * `lang`. The server can say any text otherwise in `<script type="application/json" id="frontend-messages">`.
 */

import { numberFormat, pluralRules } from "./format.ts";

export type Language = "en" | "zh";
export type Catalogue<K extends string> = Record<Language, Record<K, string>>;
export type Values = Record<string, string | number>;
export type Say<K extends string> = (key: K, values?: Values) => string;

export function languageOf(element: Element): Language {
  const said = element.closest("[lang]")?.getAttribute("lang") ?? document.documentElement.lang;
  return said.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** The tag for `Intl`: that of the page where it says more than the language. */
export function localeOf(element: Element): string {
  const said = element.closest("[lang]")?.getAttribute("lang") ?? document.documentElement.lang;
  if (!said) return "en";
  try {
    return Intl.getCanonicalLocales(said)[0] ?? "en";
  } catch {
    return languageOf(element) === "zh" ? "zh-Hans" : "en";
  }
}

let overrides: Record<string, string> | undefined;

function overridden(): Record<string, string> {
  if (overrides) return overrides;
  overrides = {};
  const block = document.getElementById("frontend-messages");
  if (block) {
    try {
      const read: unknown = JSON.parse(block.textContent ?? "");
      if (read && typeof read === "object") {
        for (const [key, text] of Object.entries(read)) if (typeof text === "string") overrides[key] = text;
      }
    } catch {
      console.warn("frontend-messages is not JSON; the built-in texts are used");
    }
  }
  return overrides;
}

/**
 * Puts values into a text: `{name}` is replaced; `{count|one|other}` chooses by the number, where
 * Chinese texts need no choice. Unknown names stay as they are, so that a mistake is seen.
 */
export function fillIn(text: string, values: Values, locale: string): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined) return pluralRules(locale).select(Number(value)) === "one" ? one : (other ?? "");
    return typeof value === "number" ? numberFormat(locale).format(value) : value;
  });
}

/** The texts of a module for the language around an element. */
export function sayFor<K extends string>(element: Element, catalogue: Catalogue<K>): Say<K> {
  const texts = catalogue[languageOf(element)];
  const locale = localeOf(element);
  return (key, values = {}) => fillIn(overridden()[key] ?? texts[key], values, locale);
}
