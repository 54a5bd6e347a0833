/** Typed text is kept until the server has it, and forms say so before they are left. */

import { html, button, debounce } from "../base/dom.ts";
import { when } from "../base/format.ts";
import { forget, forgetAll, forgetOthers, forgetSaved, keep, kept, keptName } from "../base/kept.ts";
import { localeOf, sayFor } from "../base/messages.ts";
import { TEXTS } from "./texts.ts";

type Field = HTMLTextAreaElement | HTMLInputElement;

function notice(field: HTMLElement, text: string, ...actions: HTMLButtonElement[]): HTMLElement {
  const box = html("div", { class: "rt-notice", role: "status" }, html("span", {}, text));
  for (const action of actions) {
    action.addEventListener("click", () => {
      box.remove();
      field.focus();
    });
    box.append(" ", action);
  }
  field.before(box);
  return box;
}

/** Puts a text into a field as if it had been typed, so that everybody who listens hears of it. */
function type(field: Field, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Brings back what was typed before, or offers it where the stored text has changed or may have arrived. */
function bringBack(field: Field, name: string): void {
  const found = kept(name);
  if (!found) return;
  const base = field.defaultValue;
  if (found.text === base) {
    forget(name);
    return;
  }
  const say = sayFor(field, TEXTS);
  const time = when(new Date(found.at).toISOString(), localeOf(field), undefined);
  const use = (): void => type(field, found.text);
  const discard = button(say("kept_discard"), () => {
    type(field, base);
    forget(name);
  }, { class: "rt-button" });
  if (!found.sent && found.base === base) {
    use();
    notice(field, say("kept_restored", { time }), discard);
  } else {
    const take = button(say("kept_use"), use, { class: "rt-button" });
    notice(field, say(found.sent ? "kept_offer_sent" : "kept_offer", { time }), take, discard);
  }
}

function watch(field: Field): void {
  const name = keptName(field.dataset["keep"] || field.name || field.id);
  bringBack(field, name);
  const save = debounce(() => {
    if (field.value === field.defaultValue) forget(name);
    else keep(name, { text: field.value, base: field.defaultValue, at: Date.now(), sent: false });
  }, 250);
  field.addEventListener("input", save);
  field.form?.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    save.flush();
    const found = kept(name);
    if (found) keep(name, { ...found, sent: true });
  });
  // A page that is hidden may never be heard of again.
  document.addEventListener("visibilitychange", save.flush);
  window.addEventListener("pagehide", save.flush);
}

function changed(form: HTMLFormElement): boolean {
  for (const element of form.elements) {
    if (element instanceof HTMLTextAreaElement) {
      if (element.value !== element.defaultValue) return true;
    } else if (element instanceof HTMLInputElement) {
      if (/^(checkbox|radio)$/.test(element.type) ? element.checked !== element.defaultChecked : element.type !== "hidden" && element.value !== element.defaultValue) return true;
    } else if (element instanceof HTMLSelectElement) {
      const options = [...element.options];
      const given = options.some((option) => option.defaultSelected);
      // Without a choice by the server the browser takes the first option of a simple list.
      if (options.some((option, i) => option.selected !== (given || element.multiple ? option.defaultSelected : i === 0))) return true;
    }
  }
  return false;
}

function startDirty(): void {
  let leaving = false;
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) leaving = true;
  });
  const stays = (): void => {
    leaving = false;
  };
  window.addEventListener("pageshow", stays);
  // Whoever types again has not left: the form was answered by a file, or not at all.
  document.addEventListener("input", stays);
  window.addEventListener("beforeunload", (event) => {
    if (leaving) return;
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-dirty-warning]")) {
      if (changed(form)) event.preventDefault();
    }
  });
}

export function startKeeping(): void {
  forgetOthers();
  forgetSaved();
  for (const field of document.querySelectorAll<Field>("textarea[data-keep], textarea[data-component='yaml-editor'], input[data-keep]")) {
    if (field instanceof HTMLInputElement && /^(password|hidden|file|checkbox|radio)$/.test(field.type)) continue;
    watch(field);
  }
  document.addEventListener("submit", (event) => {
    if (event.target instanceof Element && event.target.matches("[data-forget-kept]") && !event.defaultPrevented) forgetAll();
  });
  startDirty();
}
