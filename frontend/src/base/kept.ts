/**
 * Typed text that outlives a lost session: in sessionStorage, by person, page and field. Another
 * person's text is thrown away when a page for somebody else is opened in the same tab.
 */

const PREFIX = "regtech-kept:";

export interface Kept {
  /** What was typed. */
  readonly text: string;
  /** What the server had given when typing began. */
  readonly base: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The form was sent with it; whether it arrived is not known. */
  readonly sent: boolean;
}

function person(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="user"]')?.content ?? "";
}

/** The name under which a field of this page is kept. */
export function keptName(field: string): string {
  return `${PREFIX}${encodeURIComponent(person())}:${location.pathname}:${field}`;
}

function storage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null; // Forbidden by the browser's settings: nothing is kept.
  }
}

export function keep(name: string, kept: Kept): boolean {
  try {
    storage()?.setItem(name, JSON.stringify(kept));
    return true;
  } catch {
    return false; // Full: the text is still in the field.
  }
}

export function kept(name: string): Kept | null {
  try {
    const read: unknown = JSON.parse(storage()?.getItem(name) ?? "null");
    const found = read as Kept | null;
    return found && typeof found.text === "string" && typeof found.base === "string" && typeof found.at === "number"
      ? { ...found, sent: found.sent === true }
      : null;
  } catch {
    return null;
  }
}

export function forget(name: string): void {
  storage()?.removeItem(name);
}

/** Forgets what `keepIt` does not want, of all that we keep. */
function sweep(keepIt: (name: string) => boolean): void {
  const store = storage();
  if (!store) return;
  for (let i = store.length - 1; i >= 0; i--) {
    const name = store.key(i);
    if (name?.startsWith(PREFIX) && !keepIt(name)) store.removeItem(name);
  }
}

/** Forgets everything: on signing out. */
export function forgetAll(): void {
  sweep(() => false);
}

/** Forgets what belongs to others. A page without a person (the login) forgets nothing. */
export function forgetOthers(): void {
  const mine = `${PREFIX}${encodeURIComponent(person())}:`;
  if (person()) sweep((name) => name.startsWith(mine));
}

/** Forgets fields that the server says it has: `data-saved="comment yaml"`, fields of this page, or `*` for all of it. */
export function forgetSaved(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-saved]")) {
    const path = element.dataset["savedPath"] ?? location.pathname;
    const here = `${PREFIX}${encodeURIComponent(person())}:${path}:`;
    const fields = (element.dataset["saved"] ?? "").split(/\s+/).filter(Boolean);
    if (fields.includes("*")) sweep((name) => !name.startsWith(here));
    else for (const field of fields) forget(here + field);
  }
}
