/**
 * Single keys: `j` and `k` move through `[data-rows]`, `/` goes to `[data-search]`, `?` shows the help,
 * and `[data-shortcut="c"]` is clicked by its key. They can be switched off in the help (WCAG 2.1.4).
 */

import { html, button, freshId, takesText } from "../base/dom.ts";
import { sayFor } from "../base/messages.ts";
import { TEXTS } from "./texts.ts";

const SWITCH = "regtech-single-keys";

export function singleKeys(): boolean {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

function setSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(SWITCH, on ? "on" : "off");
  } catch {
    // Forbidden by the browser's settings: it holds for this page only.
  }
}

function shown(element: Element): boolean {
  return element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
}

/** What a row is opened by: `[data-open]`, else its first link or button. */
function handle(row: Element): HTMLElement | null {
  return row.querySelector<HTMLElement>("[data-open]") ?? row.querySelector<HTMLElement>("a[href], button");
}

function rowsOf(list: Element): HTMLElement[] {
  const rows = list.querySelectorAll("[data-row], tbody > tr, :scope > li");
  return [...rows].map(handle).filter((found): found is HTMLElement => found !== null && shown(found));
}

/** Moves the focus by one row; from outside of the list to its first row, or its last with `k`. */
function move(step: 1 | -1): boolean {
  const lists = [...document.querySelectorAll("[data-rows]")];
  const active = document.activeElement;
  const list = lists.find((each) => each.contains(active)) ?? lists.find(shown);
  if (!list) return false;
  const handles = rowsOf(list);
  const row = active?.closest("[data-row], tbody > tr, li");
  const at = handles.findIndex((each) => each === active || (row && list.contains(row) && row.contains(each)));
  const next = at < 0 ? (step > 0 ? 0 : handles.length - 1) : at + step;
  const target = handles[next];
  if (!target) return at >= 0;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}

function press(key: string): boolean {
  for (const element of document.querySelectorAll<HTMLElement>("[data-shortcut]")) {
    if (element.dataset["shortcut"] !== key || !shown(element) || element.matches(":disabled")) continue;
    if (takesText(element)) element.focus();
    else element.click();
    return true;
  }
  return false;
}

function search(): boolean {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (!field || !shown(field)) return false;
  field.focus();
  field.select();
  return true;
}

/** The help, made anew each time from what the page offers. */
export function showHelp(): void {
  const say = sayFor(document.body, TEXTS);
  const title = freshId("rt-help");
  const list = html("dl", { class: "rt-keys" });
  const line = (keys: string[], text: string): void => {
    const term = html("dt");
    for (const key of keys) term.append(html("kbd", {}, key), " ");
    list.append(html("div", {}, term, html("dd", {}, text)));
  };
  if (document.querySelector("[data-rows]")) {
    line(["j", "k"], say("help_rows"));
    line(["Enter"], say("help_open"));
  }
  if (document.querySelector("[data-search]")) line(["/"], say("help_search"));
  const seen = new Set<string>();
  for (const element of document.querySelectorAll<HTMLElement>("[data-shortcut]")) {
    const key = element.dataset["shortcut"] ?? "";
    if (!key || seen.has(key)) continue;
    seen.add(key);
    const label = element.dataset["shortcutLabel"] ?? element.getAttribute("aria-label") ?? element.textContent ?? "";
    line([key], label.trim());
  }
  line(["?"], say("help_help"));
  const toggle = html("input", { type: "checkbox", id: `${title}-single` });
  toggle.checked = singleKeys();
  toggle.addEventListener("change", () => setSingleKeys(toggle.checked));
  const dialog = html(
    "dialog",
    { class: "rt-dialog", "aria-labelledby": title },
    html("h2", { id: title }, say("help_title")),
    list,
    html("p", {}, toggle, " ", html("label", { for: toggle.id }, say("help_single_keys"))),
  );
  const close = button(say("help_close"), () => dialog.close(), { class: "rt-button", autofocus: true });
  dialog.append(html("div", { class: "rt-dialog-actions" }, close));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (takesText(event.composedPath()[0] ?? null) || document.querySelector("dialog[open]")) return;
  if (!singleKeys()) return;
  const done =
    (event.key === "j" && move(1)) ||
    (event.key === "k" && move(-1)) ||
    (event.key === "/" && search()) ||
    press(event.key) ||
    (event.key === "?" && document.querySelector("[data-rows], [data-shortcut], [data-search]") !== null && (showHelp(), true));
  if (done) event.preventDefault();
}

export function startShortcuts(): void {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    // A visible way to the help, also where single keys are switched off.
    if (event.target instanceof Element && event.target.closest("[data-help]")) showHelp();
  });
}
