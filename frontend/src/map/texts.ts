/** Texts of the map. */

import type { Catalogue } from "../base/messages.ts";

export type Text = keyof typeof EN;

const EN = {
  map_title: "Between countries",
  map_help: "Arrow keys move between places; the line below says what went from and to one.",
  map_columns: "As two columns",
  map_from: "from {name}: {list}",
  map_to: "to {name}: {list}",
  map_item: "{name} ({kind}, {count} {count|finding|findings})",
  map_within: "within {name}: {list}",
  map_kind: "{kind} ({count} {count|finding|findings})",
  map_data: "data",
  map_money: "money",
  map_left: "{count} {count|line names|lines name} no place that the map has; the table has all of them.",
  map_note: "Places are points. The map shows land and no borders.",
  map_hint: "Point at a place, or go to it with the keyboard.",
} as const;

export const TEXTS: Catalogue<Text> = {
  en: EN,
  zh: {
    map_title: "国家和地区之间",
    map_help: "方向键在各地点之间移动；下方文字说明从该地流出和流入的内容。",
    map_columns: "以两列显示",
    map_from: "自{name}：{list}",
    map_to: "至{name}：{list}",
    map_item: "{name}（{kind}，{count} 条发现）",
    map_within: "{name}之内：{list}",
    map_kind: "{kind}（{count} 条发现）",
    map_data: "数据",
    map_money: "资金",
    map_left: "有 {count} 条流向所涉地点不在地图上，表格列出全部。",
    map_note: "各地以点表示。地图只画陆地，不画边界。",
    map_hint: "请指向某个地点，或用键盘移到该处。",
  },
};
