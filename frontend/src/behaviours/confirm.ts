/** `data-confirm="question"` on a form, button or link: asks before it acts. */

import { html, button, freshId } from "../base/dom.ts";
import { sayFor } from "../base/messages.ts";
import { TEXTS } from "./texts.ts";

const agreed = new WeakSet<Element>();

/** Shows the question; resolves to what was chosen. Escape is no. */
export function ask(near: HTMLElement, question: string): Promise<boolean> {
  const say = sayFor(near, TEXTS);
  const id = freshId("rt-confirm");
  const dialog = html("dialog", { class: "rt-dialog", "aria-labelledby": id }, html("p", { id }, question));
  return new Promise((resolve) => {
    const no = button(say("confirm_no"), () => dialog.close("no"), { class: "rt-button", autofocus: true });
    const yes = button(near.dataset["confirmYes"] ?? say("confirm_yes"), () => dialog.close("yes"), {
      class: "rt-button rt-button-danger",
    });
    dialog.append(html("div", { class: "rt-dialog-actions" }, no, yes));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const submitter = event.submitter;
  const asking = submitter?.dataset["confirm"] ? submitter : form.dataset["confirm"] ? form : null;
  if (!asking) return;
  if (agreed.delete(asking)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  void ask(asking, asking.dataset["confirm"] ?? "").then((yes) => {
    if (!yes) return;
    agreed.add(asking);
    form.requestSubmit(submitter);
    agreed.delete(asking); // Where the form's own checks stopped it, it is asked again.
  });
}

function onClick(event: MouseEvent): void {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-confirm]") : null;
  if (!(target instanceof HTMLAnchorElement) || event.defaultPrevented) return;
  event.preventDefault();
  void ask(target, target.dataset["confirm"] ?? "").then((yes) => {
    if (yes) location.assign(target.href);
  });
}

export function startConfirm(): void {
  document.addEventListener("submit", onSubmit, { capture: true });
  document.addEventListener("click", onClick);
}
