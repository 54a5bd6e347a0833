/** How the editor looks, from the same tokens as the page: custom properties reach into shadow roots. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const theme = EditorView.theme({
  "&": { color: "var(--rt-text)", backgroundColor: "var(--rt-surface)", fontSize: "0.9rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--rt-mono)", lineHeight: "1.55", maxHeight: "70vh", minHeight: "14rem" },
  ".cm-content": { caretColor: "var(--rt-text)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--rt-text)" },
  ".cm-gutters": { backgroundColor: "var(--rt-raised)", color: "var(--rt-muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--rt-accent) 9%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--rt-accent) 28%, transparent) !important",
  },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--rt-raised)", color: "var(--rt-text)", border: "1px solid var(--rt-line)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--rt-accent)", color: "var(--rt-on-accent)" },
  ".cm-tooltip .cm-completionInfo": { maxWidth: "28rem", border: "1px solid var(--rt-line)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.8" },
  ".cm-completionMatchedText": { textDecoration: "underline", fontWeight: "600" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--rt-warning) 35%, transparent)" },
  ".cm-searchMatch.cm-searchMatch-selected": { outline: "1px solid var(--rt-warning)" },
  ".cm-textfield": { backgroundColor: "var(--rt-surface)", color: "var(--rt-text)", border: "1px solid var(--rt-line)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--rt-surface)", color: "var(--rt-text)", border: "1px solid var(--rt-line)" },
  ".cm-diagnostic": { borderLeft: "4px solid var(--rt-danger)", padding: "0.3rem 0.6rem" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--rt-warning)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--rt-accent)", color: "var(--rt-on-accent)", borderRadius: "0.25rem" },
  // The wave of CodeMirror is an image in its own colours; a line in ours is seen in both themes.
  ".cm-lintRange": { backgroundImage: "none !important", textDecorationLine: "underline", textDecorationStyle: "wavy", textDecorationSkipInk: "none" },
  ".cm-lintRange-error": { textDecorationColor: "var(--rt-danger)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--rt-warning)" },
  ".cm-lint-marker": { content: "none !important", width: "0.75em", height: "0.75em", marginTop: "0.4em" },
  ".cm-lint-marker-error": { backgroundColor: "var(--rt-danger)", borderRadius: "50%" },
  ".cm-lint-marker-warning": { backgroundColor: "var(--rt-warning)", clipPath: "polygon(50% 0, 100% 100%, 0 100%)" },
  ".rt-hint-box": { padding: "0.4rem 0.7rem", maxWidth: "32rem", whiteSpace: "pre-wrap" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--rt-accent)" },
  { tag: [tags.comment, tags.lineComment, tags.meta], color: "var(--rt-muted)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--rt-warning)" },
  { tag: [tags.punctuation, tags.separator, tags.brace, tags.squareBracket], color: "var(--rt-muted)" },
]);

export const LOOK: Extension = [theme, syntaxHighlighting(colours)];
