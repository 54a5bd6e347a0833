/** Completion and hints from the JSON Schema. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { EditorState } from "@codemirror/state";
import { type EditorView, type Tooltip, hoverTooltip } from "@codemirror/view";

import { html } from "../base/dom.ts";
import { type Schema, describe, examplesAt, expressionAt, keysAt, schemasAt, wordsAt } from "./schema.ts";
import { type YamlPlace, placeAt, readLine } from "./yaml-place.ts";

function placeOf(state: EditorState, pos: number): { place: YamlPlace; lineFrom: number } | null {
  const line = state.doc.lineAt(pos);
  const place = placeAt(state.doc.toString().split("\n"), line.number - 1, pos - line.from);
  return place && { place, lineFrom: line.from };
}

function keyCompletion(offer: ReturnType<typeof keysAt>[number], indent: number, flow: boolean): Completion {
  const deeper = " ".repeat(indent + 2);
  const after = flow || offer.value === "simple" ? " " : offer.value === "list" ? `\n${deeper}- ` : `\n${deeper}`;
  return {
    label: offer.key,
    apply: `${offer.key}:${after}`,
    type: "property",
    ...(offer.description && { info: offer.description }),
    ...(offer.required && { detail: "*", boost: 10 }),
  };
}

function expressionCompletions(schema: Schema): Completion[] {
  const fields = (schema.examples ?? []).map((name): Completion => ({ label: String(name), type: "variable" }));
  const functions = (schema["x-functions"] ?? []).map(({ name, signature, doc }): Completion => ({
    label: name,
    apply: `${name}(`,
    detail: signature.slice(name.length),
    info: doc,
    type: "function",
    boost: 1,
  }));
  return [...functions, ...fields];
}

/** What can stand at a place, and from where on it replaces what is written. */
export function completionsAt(schema: Schema, place: YamlPlace, flow: boolean): { from: number; options: Completion[] } | null {
  if (place.at === "key") {
    const offers = keysAt(schema, place.path).filter((offer) => !place.taken.has(offer.key));
    return { from: place.from, options: offers.map((offer) => keyCompletion(offer, place.from, flow)) };
  }
  const expression = expressionAt(schema, place.path);
  if (expression) {
    const word = /[\w.]*$/.exec(place.written)?.[0] ?? "";
    return { from: place.from + place.written.length - word.length, options: expressionCompletions(expression) };
  }
  const words = wordsAt(schema, place.path).map((label): Completion => ({ label, type: "enum" }));
  const examples = examplesAt(schema, place.path).map((label): Completion => ({ label, type: "text" }));
  return { from: place.from, options: [...words, ...examples] };
}

export function completeFrom(schema: () => Schema | null) {
  return (context: CompletionContext): CompletionResult | null => {
    const root = schema();
    const found = root && placeOf(context.state, context.pos);
    if (!root || !found) return null;
    const { place, lineFrom } = found;
    const flow = context.state.doc.lineAt(context.pos).text.slice(0, place.from).includes("{");
    const offer = completionsAt(root, place, flow);
    if (!offer || offer.options.length === 0) return null;
    const from = lineFrom + offer.from;
    // Unasked only where something has been typed: an empty line stays quiet.
    if (!context.explicit && context.pos === from && place.at === "key") return null;
    return { from, options: offer.options, validFor: /^[\w.-]*$/ };
  };
}

function hintText(root: Schema, state: EditorState, pos: number): { from: number; to: number; title: string; text: string } | null {
  const line = state.doc.lineAt(pos);
  const read = readLine(line.text);
  const column = pos - line.from;
  const lines = state.doc.toString().split("\n");
  if (read.key !== null && column >= read.indent && column <= read.indent + read.key.length) {
    const place = placeAt(lines, line.number - 1, line.text.length > read.value ? read.value : line.text.length);
    if (!place) return null;
    const path = place.path.slice(0, place.path.lastIndexOf(read.key) + 1);
    const schemas = schemasAt(root, path);
    const words = wordsAt(root, path);
    const text = [describe(schemas), words.join(", ")].filter(Boolean).join("\n");
    return text ? { from: line.from + read.indent, to: line.from + read.indent + read.key.length, title: read.key, text } : null;
  }
  const place = placeAt(lines, line.number - 1, column);
  const expression = place?.at === "value" ? expressionAt(root, place.path) : null;
  if (!expression) return null;
  const before = /[\w.]*$/.exec(line.text.slice(0, column))?.[0] ?? "";
  const after = /^[\w.]*/.exec(line.text.slice(column))?.[0] ?? "";
  const known = expression["x-functions"]?.find(({ name }) => name === before + after);
  return known ? { from: pos - before.length, to: pos + after.length, title: known.signature, text: known.doc } : null;
}

/** What a key means, or a function, where the pointer rests. */
export function hintsFrom(schema: () => Schema | null) {
  return hoverTooltip((view: EditorView, pos: number): Tooltip | null => {
    const root = schema();
    const hint = root && hintText(root, view.state, pos);
    if (!hint) return null;
    const { from, to, title, text } = hint;
    return {
      pos: from,
      end: to,
      above: true,
      create: () => ({ dom: html("div", { class: "rt-hint-box" }, html("strong", {}, title), html("div", {}, text)) }),
    };
  });
}
