/** What every page loads: the small behaviours, and the components a page asks for, each when it is there. */

import "./styles/frontend.css";
import { startConfirm } from "./behaviours/confirm.ts";
import { startKeeping } from "./behaviours/keeping.ts";
import { startLive } from "./behaviours/live.ts";
import { startShortcuts } from "./behaviours/shortcuts.ts";
import { startSmall } from "./behaviours/small.ts";

type Start = (element: HTMLElement) => void | Promise<void>;

const COMPONENTS: Record<string, () => Promise<{ start: Start }>> = {
  network: () => import("./network/index.ts"),
  timeline: () => import("./charts/timeline.ts"),
  distribution: () => import("./charts/distribution.ts"),
  "flow-map": () => import("./map/index.ts"),
  "yaml-editor": () => import("./editor/index.ts"),
};

async function bring(element: HTMLElement): Promise<void> {
  const load = COMPONENTS[element.dataset["component"] ?? ""];
  if (!load || element.dataset["state"]) return;
  element.dataset["state"] = "loading";
  try {
    const { start } = await load();
    await start(element);
    element.dataset["state"] = "ready";
  } catch (error) {
    // What the server rendered stays as it was: the page can be read and worked without the component.
    element.dataset["state"] = "failed";
    console.error(`component ${element.dataset["component"]} did not start`, error);
  }
}

// What asks before it acts listens first: others see a form only once it is really sent.
startConfirm();
startKeeping();
startShortcuts();
startSmall();
startLive();
for (const element of document.querySelectorAll<HTMLElement>("[data-component]")) void bring(element);
