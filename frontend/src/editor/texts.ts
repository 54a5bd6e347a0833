/** Texts of the editor, and CodeMirror's own in Chinese. */

import type { Catalogue } from "../base/messages.ts";

export type Text = keyof typeof EN;

const EN = {
  editor_label: "YAML",
  editor_keys: "Ctrl+Space or Alt+/ completes, F8 goes to the next fault. Escape and then Tab leaves the editor.",
  editor_checking: "Being checked …",
  editor_no_faults: "No faults.",
  editor_faults: "{errors} {errors|error|errors}, {warnings} {warnings|warning|warnings}",
  editor_lint_failed: "The text could not be checked: {reason}. It is checked again when it changes.",
  editor_line: "Line {line}",
  editor_error: "error",
  editor_warning: "warning",
  editor_fix: "Replace with “{text}”",
  editor_fixed: "Replaced.",
} as const;

export const TEXTS: Catalogue<Text> = {
  en: EN,
  zh: {
    editor_label: "YAML",
    editor_keys: "Ctrl+空格或 Alt+/ 补全，F8 转到下一处错误。先按 Esc 再按 Tab 离开编辑器。",
    editor_checking: "正在检查……",
    editor_no_faults: "没有错误。",
    editor_faults: "{errors} 处错误，{warnings} 处警告",
    editor_lint_failed: "无法检查文本：{reason}。文本变更后将再次检查。",
    editor_line: "第 {line} 行",
    editor_error: "错误",
    editor_warning: "警告",
    editor_fix: "替换为“{text}”",
    editor_fixed: "已替换。",
  },
};

export const PHRASES_ZH: Record<string, string> = {
  Find: "查找",
  Replace: "替换",
  next: "下一个",
  previous: "上一个",
  all: "全部",
  "match case": "区分大小写",
  regexp: "正则表达式",
  "by word": "全字匹配",
  replace: "替换",
  "replace all": "全部替换",
  close: "关闭",
  "current match": "当前匹配",
  "replaced $ matches": "已替换 $ 处",
  "replaced match on line $": "已替换第 $ 行的匹配",
  "on line": "于行",
  "Go to line": "转到行",
  go: "转到",
  Completions: "补全",
  Diagnostics: "错误",
  "No diagnostics": "没有错误",
  "Fold line": "折叠",
  "Unfold line": "展开",
  "folded code": "已折叠",
  unfold: "展开",
  to: "至",
  "Control character": "控制字符",
};
