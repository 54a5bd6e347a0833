/** The drawing as a file: what is seen, with all styles written into it. */

import { html } from "../base/dom.ts";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-weight", "display", "paint-order", "stroke-linejoin"];

function copyStyles(from: Element, to: Element): void {
  if (from instanceof SVGElement && !(from instanceof SVGSVGElement)) {
    const style = getComputedStyle(from);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      // Attributes of presentation and no style attribute: they hold where styles are forbidden.
      if (value && value !== "normal" && value !== "none 0px") to.setAttribute(name, value);
    }
  }
  for (const name of ["class", "tabindex", "role", "aria-label", "aria-pressed", "aria-hidden", "data-id"]) to.removeAttribute(name);
  [...from.children].forEach((child, i) => {
    const copy = to.children[i];
    if (copy) copyStyles(child, copy);
  });
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A standalone SVG text of the part `box` of a drawing's plane. */
export function asSvg(drawn: SVGSVGElement, box: Box, title: string, background: string): string {
  const copy = drawn.cloneNode(true) as SVGSVGElement;
  copyStyles(drawn, copy);
  copy.querySelectorAll('[display="none"], .rt-net-hit').forEach((each) => each.remove());
  copy.firstElementChild?.removeAttribute("transform");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
  copy.setAttribute("width", String(Math.round(box.width)));
  copy.setAttribute("height", String(Math.round(box.height)));
  const ns = "http://www.w3.org/2000/svg";
  const ground = document.createElementNS(ns, "rect");
  for (const [name, value] of Object.entries({ ...box, fill: background })) ground.setAttribute(name, String(value));
  const named = document.createElementNS(ns, "title");
  named.textContent = title;
  copy.prepend(named, ground);
  return new XMLSerializer().serializeToString(copy);
}

/** The picture in PNG, at twice the size, but at most 8000 pixels long. */
export async function asPng(source: string, box: Box): Promise<Blob> {
  const image = new Image();
  // data: and not blob:, since the policy of the pages allows images from there only.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const factor = Math.min(2, 8000 / Math.max(box.width, box.height));
  const canvas = html("canvas", { width: Math.round(box.width * factor), height: Math.round(box.height * factor) });
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
