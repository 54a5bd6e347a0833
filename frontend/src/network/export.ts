/** The drawing as a file: what is seen, with all styles written into it. */

import { html } from "../base/dom.ts";
import type { Seen } from "./draw.ts";

export const PNG_TIMES = 3;
const STYLES = ["vector-effect", "fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-weight", "display", "paint-order", "stroke-linejoin"];

function copyStyles(from: Element, to: Element, times: number): void {
  if (from instanceof SVGElement && !(from instanceof SVGSVGElement)) {
    const style = getComputedStyle(from);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      // Attributes of presentation and no style attribute: they hold where styles are forbidden.
      if (value && value !== "normal") to.setAttribute(name, value);
    }
    // Strokes that do not grow with the drawing have to grow with the picture.
    if (style.getPropertyValue("vector-effect") === "non-scaling-stroke") {
      to.setAttribute("stroke-width", String(parseFloat(style.getPropertyValue("stroke-width")) * times));
    }
  }
  for (const name of ["class", "tabindex", "role", "aria-label", "aria-pressed", "aria-hidden", "data-id"]) to.removeAttribute(name);
  [...from.children].forEach((child, i) => {
    const copy = to.children[i];
    if (copy) copyStyles(child, copy, times);
  });
}

/**
 * A standalone SVG text of what is seen of a drawing, names as large as they are on the screen. `times` is by
 * how much it will be painted larger.
 */
export function asSvg(drawn: SVGSVGElement, { screen, ...box }: Seen, title: string, background: string, times = 1): string {
  const copy = drawn.cloneNode(true) as SVGSVGElement;
  copyStyles(drawn, copy, times);
  copy.querySelectorAll('[display="none"], .rt-net-hit').forEach((each) => each.remove());
  copy.firstElementChild?.removeAttribute("transform");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
  copy.setAttribute("width", String(screen.width));
  copy.setAttribute("height", String(screen.height));
  const ns = "http://www.w3.org/2000/svg";
  const ground = document.createElementNS(ns, "rect");
  for (const [name, value] of Object.entries({ ...box, fill: background })) ground.setAttribute(name, String(value));
  const named = document.createElementNS(ns, "title");
  named.textContent = title;
  copy.prepend(named, ground);
  return new XMLSerializer().serializeToString(copy);
}

/** The picture in PNG, at three times its size on the screen: enough for print. */
export async function asPng(source: string, { screen }: Seen): Promise<Blob> {
  const image = new Image();
  // data: and not blob:, since the policy of the pages allows images from there only.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = html("canvas", { width: screen.width * PNG_TIMES, height: screen.height * PNG_TIMES });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser cannot paint");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}

export function saveAs(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = html("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
