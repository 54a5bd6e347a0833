/** Making elements without markup: text is always text, whatever stands in it. */

const SVG = "http://www.w3.org/2000/svg";

type Attributes = Record<string, string | number | boolean | null | undefined>;
type Child = Node | string | null | undefined;

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

/** An HTML element. Attributes that are null, undefined or false are left out. */
export function html<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, name) as SVGElementTagNameMap[K], attributes, children);
}

/** A button that submits nothing. */
export function button(text: string, onclick: (event: MouseEvent) => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = html("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onclick);
  return made;
}

let made = 0;

/** An id that no other element of the page has. */
export function freshId(prefix: string): string {
  let id: string;
  do id = `${prefix}-${++made}`;
  while (document.getElementById(id));
  return id;
}

/** Whether the person is typing in this element, so that letters are text and not commands. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !/^(button|checkbox|color|file|image|radio|range|reset|submit)$/.test(target.type);
}

/** Where the focus really is, through shadow roots. */
export function deepFocus(): Element | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}

export function reducedMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Calls `later` once, when nobody called for `ms`. `flush` does it now if it is due at all. */
export function debounce(later: () => void, ms: number): { (): void; flush(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = (): void => {
    timer = undefined;
    later();
  };
  const call = (): void => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
  call.flush = (): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    run();
  };
  return call;
}
