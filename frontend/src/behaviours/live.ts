/** Numbers and work that go on while the page is open: `[data-live]`, `[data-progress]`. */

import { announce } from "../base/announce.ts";
import { html, button } from "../base/dom.ts";
import { Refused, askJson, ownAddress } from "../base/http.ts";
import { fillIn, localeOf, sayFor } from "../base/messages.ts";
import { TEXTS } from "./texts.ts";

let told = false;

/** Says once that the session is over; what was typed stays where it is. */
function sessionEnded(): void {
  if (told) return;
  told = true;
  const say = sayFor(document.body, TEXTS);
  document.body.prepend(html("div", { class: "rt-notice rt-notice-top", role: "alert" }, say("session_ended")));
}

/** Calls `step` again and again while the page is seen; `step` says after how many seconds, or null to stop. */
export function repeatedly(first: number, step: () => Promise<number | null>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let over = false;
  const plan = (seconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(run, seconds * 1000);
  };
  const run = (): void => {
    if (running || over || document.hidden) return;
    running = true;
    void step().then((seconds) => {
      running = false;
      if (seconds === null) over = true;
      else plan(seconds);
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) plan(0);
  });
  plan(first);
}

function every(element: HTMLElement, usual: number): number {
  const said = Number(element.dataset["every"]);
  return said >= 1 ? said : usual;
}

function watchCount(element: HTMLElement): void {
  const usual = every(element, 30);
  let failures = 0;
  repeatedly(usual, async () => {
    try {
      const read = (await askJson(element.dataset["live"] ?? "")) as { count?: unknown; text?: unknown } | null;
      failures = 0;
      const count = typeof read?.count === "number" ? read.count : null;
      const locale = localeOf(element);
      const form = element.dataset["liveText"];
      let text: string | null = null;
      if (typeof read?.text === "string") text = read.text;
      else if (count !== null) text = form ? fillIn(form, { count }, locale) : new Intl.NumberFormat(locale).format(count);
      // Written only when it differs: nothing blinks, nothing is read out twice.
      if (text !== null && element.textContent !== text) element.textContent = text;
      if (count !== null) element.dataset["count"] = String(count);
      return usual;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        sessionEnded();
        return null;
      }
      if (error instanceof Refused && (error.status === 403 || error.status === 404)) return null;
      failures = Math.min(failures + 1, 5);
      return usual * 2 ** failures;
    }
  });
}

interface Work {
  state?: string;
  done?: number;
  total?: number;
  at?: number;
  size?: number;
  text?: string;
  href?: string;
  error?: string;
}

const ENDS = ["done", "failed", "cancelled"] as const;

function watchWork(element: HTMLElement): void {
  const say = sayFor(element, TEXTS);
  const usual = every(element, 1);
  const bar = element.querySelector("progress") ?? html("progress", { "aria-label": element.getAttribute("aria-label") ?? "" });
  if (!bar.isConnected) element.append(bar);
  const status = element.querySelector<HTMLElement>("[data-progress-text]") ?? html("span", { "data-progress-text": true });
  if (!status.isConnected) element.append(" ", status);
  const stop = cancelButton(element, status);
  let failures = 0;
  const put = (text: string): void => {
    if (status.textContent !== text) status.textContent = text;
  };
  repeatedly(0, async () => {
    let work: Work;
    try {
      work = ((await askJson(element.dataset["progress"] ?? "")) ?? {}) as Work;
      failures = 0;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        sessionEnded();
        return null;
      }
      if (error instanceof Refused && (error.status === 403 || error.status === 404)) {
        put(error.message);
        return null;
      }
      put(say("progress_lost"));
      failures = Math.min(failures + 1, 5);
      return usual * 2 ** failures;
    }
    const [done, total] = [work.done ?? work.at, work.total ?? work.size];
    if (typeof done === "number" && typeof total === "number" && total > 0) {
      bar.max = total;
      bar.value = Math.min(done, total);
    }
    const end = ENDS.find((state) => state === work.state);
    if (!end) {
      const percent = { style: "percent", maximumFractionDigits: 0 } as const;
      if (work.text) put(work.text);
      else if (bar.hasAttribute("value")) put(new Intl.NumberFormat(localeOf(element), percent).format(bar.position));
      return usual;
    }
    stop?.remove();
    if (end === "done") {
      bar.value = bar.max;
    } else bar.remove();
    const said = work.error ? `${say(`progress_${end}`)}: ${work.error}` : (work.text ?? say(`progress_${end}`));
    put(said);
    announce(said);
    element.dataset["state"] = end;
    const href = work.href ? ownAddress(work.href) : null;
    if (href) element.append(" ", html("a", { href, class: "rt-button" }, say("progress_show")));
    return null;
  });
}

function cancelButton(element: HTMLElement, status: HTMLElement): HTMLButtonElement | null {
  const url = element.dataset["cancel"];
  if (!url) return null;
  const say = sayFor(element, TEXTS);
  const given = element.querySelector<HTMLButtonElement>("[data-progress-cancel]");
  const stop = given ?? button(say("progress_cancel"), () => undefined, { class: "rt-button" });
  stop.addEventListener("click", (event) => {
    event.preventDefault();
    stop.disabled = true;
    status.textContent = say("progress_cancelling");
    askJson(url, { method: "POST" }).catch((error: unknown) => {
      stop.disabled = false;
      status.textContent = error instanceof Error ? error.message : String(error);
    });
  });
  if (!given) element.append(" ", stop);
  return stop;
}

export function startLive(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-live]")) watchCount(element);
  for (const element of document.querySelectorAll<HTMLElement>("[data-progress]")) watchWork(element);
}
