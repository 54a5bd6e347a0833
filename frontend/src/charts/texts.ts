/** Texts of the charts. */

import type { Catalogue } from "../base/messages.ts";

export type Text = keyof typeof EN;

const EN = {
  chart_failed: "The chart could not be loaded: {reason}",
  chart_table: "As a table",
  timeline_title: "Timeline",
  timeline_help: "Arrow keys move between entries, Enter opens one, plus and minus zoom, 0 shows all.",
  timeline_empty: "Nothing has happened yet.",
  timeline_now: "now",
  timeline_many: "{count} {count|entry|entries} from {from} to {to}; Enter looks closer.",
  timeline_all: "Show all",
  timeline_time: "Time",
  timeline_lane: "Where",
  timeline_label: "What",
  distribution_title: "Distribution",
  distribution_help: "Arrow keys move between bars.",
  distribution_empty: "There are no values.",
  distribution_bar: "{from} to {to}: {count}",
  distribution_figure: "Figure: {value}",
  distribution_default: "our default, not law",
  distribution_reached: "{reached} of {total} reach it.",
  distribution_what_if: "What if it were",
  distribution_then: "{reached} of {total} would reach it ({difference}).",
  distribution_reset: "Back to the figure",
  distribution_from: "From",
  distribution_to: "Below",
  distribution_count: "Number",
  distribution_left: "{count} {count|value|values} could not be read.",
} as const;

export const TEXTS: Catalogue<Text> = {
  en: EN,
  zh: {
    chart_failed: "无法加载图表：{reason}",
    chart_table: "以表格显示",
    timeline_title: "时间线",
    timeline_help: "方向键在条目之间移动，回车键打开，加号和减号缩放，0 显示全部。",
    timeline_empty: "尚无记录。",
    timeline_now: "现在",
    timeline_many: "{from} 至 {to} 共 {count} 项，按回车键放大。",
    timeline_all: "显示全部",
    timeline_time: "时间",
    timeline_lane: "位置",
    timeline_label: "内容",
    distribution_title: "分布",
    distribution_help: "方向键在各柱之间移动。",
    distribution_empty: "没有数值。",
    distribution_bar: "{from} 至 {to}：{count}",
    distribution_figure: "标准值：{value}",
    distribution_default: "本系统默认值，非法定",
    distribution_reached: "{total} 个中有 {reached} 个达到。",
    distribution_what_if: "假设标准值为",
    distribution_then: "{total} 个中将有 {reached} 个达到（{difference}）。",
    distribution_reset: "恢复标准值",
    distribution_from: "起",
    distribution_to: "止（不含）",
    distribution_count: "数量",
    distribution_left: "有 {count} 个数值无法读取。",
  },
};
