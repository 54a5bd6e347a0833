/** One polite live region for the page: what was done, said to those who do not see it. */

import { html } from "./dom.ts";

let region: HTMLElement | undefined;

export function announce(text: string): void {
  if (!region?.isConnected) {
    region = html("div", { class: "rt-hidden", role: "status", "aria-live": "polite", "aria-atomic": true });
    document.body.append(region);
  }
  // The same words twice are only read when the content changes in between.
  region.textContent = "";
  const target = region;
  setTimeout(() => {
    target.textContent = text;
  }, 50);
}
