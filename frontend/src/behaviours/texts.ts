/** Texts of the behaviours of every page. */

import type { Catalogue } from "../base/messages.ts";

export type Text =
  | "help_title"
  | "help_close"
  | "help_rows"
  | "help_open"
  | "help_search"
  | "help_help"
  | "help_single_keys"
  | "confirm_yes"
  | "confirm_no"
  | "copied"
  | "copy_failed"
  | "kept_restored"
  | "kept_offer"
  | "kept_offer_sent"
  | "kept_use"
  | "kept_discard"
  | "theme_auto"
  | "theme_light"
  | "theme_dark"
  | "session_ended"
  | "progress_cancel"
  | "progress_cancelling"
  | "progress_done"
  | "progress_failed"
  | "progress_cancelled"
  | "progress_lost"
  | "progress_show";

export const TEXTS: Catalogue<Text> = {
  en: {
    help_title: "Keyboard shortcuts",
    help_close: "Close",
    help_rows: "Next or previous row",
    help_open: "Open the row",
    help_search: "Search",
    help_help: "This help",
    help_single_keys: "Shortcuts of a single key",
    confirm_yes: "Yes, go on",
    confirm_no: "Cancel",
    copied: "Copied",
    copy_failed: "The browser did not allow copying",
    kept_restored: "Text that you typed at {time} and had not sent was restored.",
    kept_offer: "You typed another text here at {time} and have not sent it; what is stored has changed since.",
    kept_offer_sent: "You sent this text at {time}; whether it arrived is not known.",
    kept_use: "Use my text",
    kept_discard: "Discard it",
    theme_auto: "Theme: as the system",
    theme_light: "Theme: light",
    theme_dark: "Theme: dark",
    session_ended: "You have been signed out. What you typed is kept in this tab: sign in again to go on.",
    progress_cancel: "Cancel",
    progress_cancelling: "Being cancelled …",
    progress_done: "Done",
    progress_failed: "Failed",
    progress_cancelled: "Cancelled",
    progress_lost: "The server does not answer; asked again in a moment.",
    progress_show: "Show the result",
  },
  zh: {
    help_title: "键盘快捷键",
    help_close: "关闭",
    help_rows: "下一行或上一行",
    help_open: "打开该行",
    help_search: "搜索",
    help_help: "显示本帮助",
    help_single_keys: "启用单键快捷键",
    confirm_yes: "确定继续",
    confirm_no: "取消",
    copied: "已复制",
    copy_failed: "浏览器不允许复制",
    kept_restored: "已恢复您在 {time} 输入但尚未提交的内容。",
    kept_offer: "您在 {time} 在此输入了另一份内容，尚未提交；此后已存内容有变动。",
    kept_offer_sent: "您在 {time} 提交了此内容，但不确定是否已送达。",
    kept_use: "使用我的内容",
    kept_discard: "舍弃",
    theme_auto: "主题：跟随系统",
    theme_light: "主题：浅色",
    theme_dark: "主题：深色",
    session_ended: "您已退出登录。所输入的内容保存在本标签页中，重新登录后可继续。",
    progress_cancel: "取消",
    progress_cancelling: "正在取消……",
    progress_done: "已完成",
    progress_failed: "失败",
    progress_cancelled: "已取消",
    progress_lost: "服务器没有响应，稍后重试。",
    progress_show: "查看结果",
  },
};
