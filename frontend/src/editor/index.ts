/** `<textarea data-component="yaml-editor">`: the same text in CodeMirror, checked while one types. */

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";

import { announce } from "../base/announce.ts";
import { words } from "../base/data.ts";
import { button, debounce, freshId, html, reducedMotion } from "../base/dom.ts";
import { askJson } from "../base/http.ts";
import { type Say, languageOf, sayFor } from "../base/messages.ts";
import { completeFrom, hintsFrom } from "./complete.ts";
import { type Fault, mark, readFaults } from "./faults.ts";
import { LOOK } from "./look.ts";
import type { Schema } from "./schema.ts";
import { PHRASES_ZH, TEXTS, type Text } from "./texts.ts";

/** How long a pause in typing is taken as a moment to check. */
const LINT_AFTER_MS = 400;

class YamlEditor {
  private readonly view: EditorView;
  private readonly say: Say<Text>;
  private readonly status = html("p", { class: "rt-editor-status", role: "status" });
  private readonly list = html("ol", { class: "rt-editor-faults" });
  private schema: Schema | null = null;
  /** True while we write into the text area ourselves. */
  private writing = false;

  constructor(private readonly area: HTMLTextAreaElement) {
    this.say = sayFor(area, TEXTS);
    const host = html("div", { class: "rt-editor" });
    // In a shadow root CodeMirror brings its styles as constructed sheets, which the policy of the pages
    // allows; in the document it would write a <style> element, which it forbids.
    const root = host.attachShadow({ mode: "open" });
    const hint = html("p", { class: "rt-hint", id: freshId("rt-editor-hint") }, this.say("editor_keys"));
    // From outside a key pressed in here seems to be pressed on a <div>: whoever listens for single keys on
    // the page would take typing for commands.
    host.addEventListener("keydown", (event) => event.stopPropagation());
    area.after(host, hint, this.status, this.list);
    this.view = new EditorView({ root, parent: root, state: EditorState.create({ doc: area.value, extensions: this.extensions() }) });
    this.takeOver();
    if (area.dataset["schema"]) void this.fetchSchema(area.dataset["schema"]);
  }

  private label(): string {
    const label = this.area.labels[0]?.textContent?.trim();
    return this.area.getAttribute("aria-label") ?? label ?? this.say("editor_label");
  }

  private extensions(): Extension[] {
    const { area } = this;
    const fixed = area.readOnly || area.disabled;
    const sync = debounce(() => this.write(), 150);
    area.form?.addEventListener("submit", () => this.write(), { capture: true });
    window.addEventListener("pagehide", () => sync.flush());
    return [
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      foldGutter(),
      drawSelection({ cursorBlinkRate: reducedMotion() ? 0 : 1200 }),
      dropCursor(),
      indentOnInput(),
      indentUnit.of("  "),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      yaml(),
      LOOK,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": `${this.label()}. ${this.say("editor_keys")}`, spellcheck: "false" }),
      EditorState.readOnly.of(fixed),
      EditorView.editable.of(!area.disabled),
      languageOf(area) === "zh" ? EditorState.phrases.of(PHRASES_ZH) : [],
      autocompletion({ override: [completeFrom(() => this.schema)], icons: false }),
      hintsFrom(() => this.schema),
      area.dataset["lint"] ? [linter((view) => this.check(view), { delay: LINT_AFTER_MS }), lintGutter()] : [],
      EditorView.updateListener.of((update) => {
        if (update.docChanged) sync();
      }),
      keymap.of([
        { key: "Tab", run: acceptCompletion },
        // Ctrl+Space switches input methods on many Chinese systems.
        { key: "Alt-/", run: startCompletion },
        // Escape and then Tab leaves: CodeMirror's own tab focus mode, which Escape begins.
        { key: "Tab", run: indentMore, shift: indentLess },
        ...closeBracketsKeymap,
        ...lintKeymap,
        ...completionKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...defaultKeymap,
      ]),
    ];
  }

  /** The text area stays in the form with the same text, and whoever goes to it comes here. */
  private takeOver(): void {
    const { area, view } = this;
    area.hidden = true;
    // A required field that is not seen would hold back the form without saying why; the server asks for it.
    area.required = false;
    area.focus = () => view.focus();
    for (const label of area.labels) label.addEventListener("click", () => view.focus());
    area.addEventListener("input", () => {
      if (this.writing || area.value === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: area.value } });
    });
    if (area.autofocus) view.focus();
  }

  private write(): void {
    const text = this.view.state.doc.toString();
    if (this.area.value === text) return;
    this.writing = true;
    this.area.value = text;
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
    this.writing = false;
  }

  private async fetchSchema(url: string): Promise<void> {
    try {
      this.schema = (await askJson(url)) as Schema;
    } catch (error) {
      // Without it there is no completion; checking and saving go on.
      console.warn("no schema for completion", error);
    }
  }

  private async check(view: EditorView): Promise<Diagnostic[]> {
    const { doc } = view.state;
    let faults: Fault[];
    try {
      faults = readFaults(await askJson(this.area.dataset["lint"] ?? "", { method: "POST", body: { yaml: doc.toString() } }));
    } catch (error) {
      this.tell(this.say("editor_lint_failed", { reason: words(error) }));
      return [];
    }
    if (view.state.doc !== doc) return []; // Typed on meanwhile: the next check counts.
    this.show(faults);
    return faults.map((fault): Diagnostic => {
      const { from, to, fix } = mark(doc, fault);
      const diagnostic: Diagnostic = {
        from,
        to,
        severity: fault.severity,
        source: fault.code,
        message: fault.hint ? `${fault.message}\n${fault.hint}` : fault.message,
      };
      if (fix !== null) {
        diagnostic.actions = [{ name: this.say("editor_fix", { text: fix }), apply: (_, start, end) => this.replace(start, end, fix) }];
      }
      return diagnostic;
    });
  }

  private tell(text: string): void {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  private replace(from: number, to: number, insert: string): void {
    if (this.view.state.readOnly) return;
    this.view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.fix" });
    announce(this.say("editor_fixed"));
  }

  private goTo(from: number): void {
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }

  /** All faults below the text, each a way to its place: the marks alone are easily missed. */
  private show(faults: readonly Fault[]): void {
    const errors = faults.filter((fault) => fault.severity === "error").length;
    const warnings = faults.length - errors;
    this.tell(faults.length === 0 ? this.say("editor_no_faults") : this.say("editor_faults", { errors, warnings }));
    const { doc } = this.view.state;
    this.list.replaceChildren(
      ...faults.map((fault) => {
        const { from, to, fix } = mark(doc, fault);
        const place = button(this.say("editor_line", { line: fault.line }), () => this.goTo(from), { class: "rt-link" });
        const kind = html("span", { class: `rt-fault-${fault.severity}` }, this.say(`editor_${fault.severity}`));
        const line = html("li", {}, place, " ", kind, ` ${fault.code}: ${fault.message}`, fault.hint ? ` (${fault.hint})` : null);
        if (fix !== null && !this.view.state.readOnly) {
          const word = doc.sliceString(from, to);
          const act = (): void => {
            // Only where the text is still what was checked: it may have been typed on since.
            if (this.view.state.doc.sliceString(from, to) === word) this.replace(from, to, fix);
            this.view.focus();
          };
          line.append(" ", button(this.say("editor_fix", { text: fix }), act, { class: "rt-button" }));
        }
        return line;
      }),
    );
  }
}

export function start(element: HTMLElement): void {
  if (!(element instanceof HTMLTextAreaElement)) throw new Error("yaml-editor belongs on a textarea");
  new YamlEditor(element);
}
