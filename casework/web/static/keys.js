// Shortcuts, and small comforts. Every page works without this file.
"use strict";
(() => {
  const lines = () => [...document.querySelectorAll("[data-line]")];
  let place = -1;

  function go(step) {
    const all = lines();
    if (!all.length) return;
    place = Math.min(all.length - 1, Math.max(0, place + step));
    all.forEach((line, at) => line.classList.toggle("at", at === place));
    all[place].scrollIntoView({ block: "nearest" });
    const link = all[place].querySelector("[data-open]");
    if (link) link.focus({ preventScroll: true });
  }

  const typing = (node) =>
    node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) && !/^(checkbox|radio)$/.test(node.type);

  let went = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const after = performance.now() - went < 1000;
    went = 0;
    const does = {
      j: () => go(1),
      k: () => go(-1),
      "/": () => document.querySelector('[data-key="search"]')?.focus(),
      c: () => document.querySelector('[data-key="claim"]')?.click(),
      x: () => lines()[place]?.querySelector('input[type="checkbox"]')?.click(),
      g: () => { went = performance.now(); },
      q: () => { if (after) location.assign("/queue"); },
      "?": () => document.getElementById("keys")?.togglePopover(),
    }[event.key];
    if (does && (event.key !== "q" || after)) {
      event.preventDefault();
      does();
    }
  });

  // The viewer's clock, unless another was chosen.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !/(?:^|; )regtech-zone=/.test(document.cookie)) {
    document.cookie = `regtech-zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // What went wrong is where the eye and the reader begin.
  document.getElementById("problem")?.focus();

  // Text that was typed and not sent: ask before it is lost.
  const begun = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[method=post]");
    if (form && event.target.matches("textarea, input:not([type=hidden])")) begun.add(form);
  });
  document.addEventListener("submit", () => begun.clear());
  window.addEventListener("beforeunload", (event) => {
    if ([...begun].some((form) => [...form.querySelectorAll("textarea")].some((area) => area.value.trim() !== area.defaultValue.trim()))) {
      event.preventDefault();
    }
  });
})();
