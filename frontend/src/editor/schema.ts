/** What a JSON Schema says about a place in a document. */

import { ENTRY, type Step } from "./yaml-place.ts";

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  /** Ours: functions that expressions can call. */
  readonly "x-functions"?: readonly { readonly name: string; readonly signature: string; readonly doc: string }[];
}

/** Every schema that a value may be held against: references followed, alternatives laid out. */
function laidOut(schema: Schema, root: Schema, depth = 0): Schema[] {
  if (depth > 16) return [];
  if (schema.$ref) {
    const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref)?.[1];
    const target = name === undefined ? undefined : root.$defs?.[name];
    if (!target) return [];
    // A description beside a reference says more about the place than the one behind it.
    const own = schema.description ? { ...target, description: schema.description } : target;
    return laidOut(own, root, depth + 1);
  }
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const { description } = schema;
  const found = parts.flatMap((part) => laidOut(part, root, depth + 1)).map((part) => (description && !part.description ? { ...part, description } : part));
  return parts.length > 0 && !schema.properties ? found : [schema, ...found];
}

export function schemasAt(root: Schema, path: readonly Step[]): Schema[] {
  let now = laidOut(root, root);
  for (const step of path) {
    const next = now.flatMap((schema): Schema[] => {
      if (step === ENTRY) return schema.items ? [schema.items] : [];
      const known = schema.properties?.[step];
      if (known) return [known];
      return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
    });
    now = next.flatMap((schema) => laidOut(schema, root));
  }
  return now;
}

export interface KeyOffer {
  readonly key: string;
  readonly description: string;
  readonly required: boolean;
  /** What the value is: decides what is put after the colon. */
  readonly value: "mapping" | "list" | "simple";
}

/** The keys that a mapping at this path can have. */
export function keysAt(root: Schema, path: readonly Step[]): KeyOffer[] {
  const offers = new Map<string, KeyOffer>();
  for (const schema of schemasAt(root, path)) {
    for (const [key, sub] of Object.entries(schema.properties ?? {})) {
      if (offers.has(key)) continue;
      const kinds = laidOut(sub, root);
      const value = kinds.every((kind) => kind.properties || kind.type === "object") ? "mapping" : kinds.every((kind) => kind.items) ? "list" : "simple";
      offers.set(key, { key, value, description: describe(kinds), required: schema.required?.includes(key) ?? false });
    }
  }
  return [...offers.values()];
}

/** The first thing that the schemas say in words. */
export function describe(schemas: readonly Schema[]): string {
  return schemas.map((schema) => schema.description).find((text) => text) ?? "";
}

/** The words of which a value has to be one. */
export function wordsAt(root: Schema, path: readonly Step[]): string[] {
  const words = new Set<string>();
  for (const schema of schemasAt(root, path)) {
    for (const word of schema.enum ?? (schema.const === undefined ? [] : [schema.const])) words.add(String(word));
    if (schema.type === "boolean") for (const word of ["true", "false"]) words.add(word);
  }
  return [...words];
}

/** The schema of an expression, where the value at the path is one. */
export function expressionAt(root: Schema, path: readonly Step[]): Schema | null {
  return schemasAt(root, path).find((schema) => schema["x-functions"]) ?? null;
}

/** Values that the schema shows as examples, where they are not the names of an expression. */
export function examplesAt(root: Schema, path: readonly Step[]): string[] {
  return schemasAt(root, path).flatMap((schema) => (schema["x-functions"] ? [] : (schema.examples ?? []).map(String)));
}
