/** Relative times, copy buttons, the theme, and controls that only make sense with a script. */

import { announce } from "../base/announce.ts";
import { relative, when, zoneOf } from "../base/format.ts";
import { localeOf, sayFor } from "../base/messages.ts";
import { TEXTS } from "./texts.ts";

/** How far this computer's clock is from the server's, where the page says the server's time. */
function clockOffset(): number {
  const said = Date.parse(document.documentElement.dataset["now"] ?? "");
  // The page's own time of loading stands for the moment at which the server wrote it.
  return Number.isNaN(said) ? 0 : said - performance.timeOrigin;
}

function startTimes(): void {
  const times = [...document.querySelectorAll<HTMLTimeElement>("time[data-relative][datetime]")];
  if (times.length === 0) return;
  const offset = clockOffset();
  const write = (): void => {
    const now = Date.now() + offset;
    for (const element of times) {
      const at = Date.parse(element.dateTime);
      if (Number.isNaN(at)) continue;
      const text = relative(at, now, localeOf(element));
      if (element.textContent !== text) element.textContent = text;
    }
  };
  for (const element of times) {
    // The exact time stays to be had.
    element.title ||= when(element.dateTime, localeOf(element), zoneOf(element));
  }
  write();
  setInterval(() => {
    if (!document.hidden) write();
  }, 30_000);
}

function startCopy(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy], [data-copy-from]") : null;
    if (!target) return;
    event.preventDefault();
    const from = target.dataset["copyFrom"];
    const source = from ? document.querySelector<HTMLElement>(from) : null;
    const text = from ? (source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement ? source.value : (source?.textContent ?? "").trim()) : (target.dataset["copy"] ?? "");
    const say = sayFor(target, TEXTS);
    const done = (said: string, state: string): void => {
      announce(said);
      target.dataset["copied"] = state;
      setTimeout(() => delete target.dataset["copied"], 2000);
    };
    // Without a secure context there is no clipboard at all.
    const writing = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    writing.then(
      () => done(say("copied"), "yes"),
      () => done(say("copy_failed"), "no"),
    );
  });
}

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** From the cookie, which the server reads too so that a page comes in its theme at once; else as the page came. */
function theme(): Theme {
  const found = /(?:^|;\s*)regtech-theme=(\w+)/.exec(document.cookie)?.[1] ?? document.documentElement.dataset["theme"];
  return THEMES.find((each) => each === found) ?? "auto";
}

function apply(chosen: Theme): void {
  document.documentElement.dataset["theme"] = chosen;
  for (const element of document.querySelectorAll<HTMLElement>("[data-theme-switch]")) {
    if (element instanceof HTMLSelectElement) element.value = chosen;
    else {
      const label = sayFor(element, TEXTS)(`theme_${chosen}`);
      element.setAttribute("aria-label", label);
      element.title = label;
    }
  }
}

function choose(chosen: Theme): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `regtech-theme=${chosen}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  apply(chosen);
}

function startTheme(): void {
  apply(theme());
  for (const element of document.querySelectorAll<HTMLElement>("[data-theme-switch]")) {
    if (element instanceof HTMLSelectElement) {
      element.addEventListener("change", () => choose(THEMES.find((each) => each === element.value) ?? "auto"));
    } else {
      element.addEventListener("click", () => {
        choose(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? "auto");
        announce(sayFor(element, TEXTS)(`theme_${theme()}`));
      });
    }
  }
}

/** `hidden data-needs-script`: a control that would do nothing without us. */
function reveal(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-needs-script]")) element.hidden = false;
}

/** Filters that act at once: `form[data-submit-on-change]`. Its button is for those without a script. */
function startFilters(): void {
  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element ? event.target.closest<HTMLFormElement>("form[data-submit-on-change]") : null;
    form?.requestSubmit();
  });
}

export function startSmall(): void {
  reveal();
  startTheme();
  startTimes();
  startCopy();
  startFilters();
}
