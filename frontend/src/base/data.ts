/** The data of a component: a JSON block within it, or what its address answers. */

import { askJson } from "./http.ts";

export async function dataOf(element: HTMLElement): Promise<unknown> {
  const block = element.querySelector('script[type="application/json"]');
  if (block) return JSON.parse(block.textContent ?? "null");
  return askJson(element.dataset["src"] ?? "");
}

/** An error in words. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
