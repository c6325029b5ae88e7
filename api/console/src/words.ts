// The page's words in the reader's language, and times as the site's clocks show them.

import { signal } from "@preact/signals";
import { Refused } from "./api";
import { chinese } from "./chinese";
import { codes } from "./codes";
import { english } from "./english";
import type { Names } from "./model";

export type Language = "en-US" | "zh-CN";

const remembered = localStorage.getItem("language");
export const language = signal<Language>(
  remembered === "zh-CN" || remembered === "en-US" ? remembered
  : navigator.language.startsWith("zh") ? "zh-CN" : "en-US",
);

export function switchLanguage(): void {
  language.value = language.value === "en-US" ? "zh-CN" : "en-US";
  localStorage.setItem("language", language.value);
  document.documentElement.lang = language.value;
}

export type Word = keyof typeof english;

export function say(key: Word): string {
  return (language.value === "zh-CN" ? chinese : english)[key];
}

export function code(word: string | null | undefined): string {
  if (!word) return "–";
  return codes[language.value][word] ?? word.replaceAll("_", " ");
}

export function named(names: Names | null | undefined): string {
  if (!names) return "";
  return names[language.value] ?? names["en-US"] ?? Object.values(names)[0] ?? "";
}

/** The time of day at the site, not at the reader's desk. */
/** An area as people say it: square metres, from ten thousand on hectares. */
export function area(m2: number): string {
  return m2 >= 10_000 ? `${(m2 / 10_000).toFixed(1)} ${say("hectares")}` : `${m2.toFixed(m2 < 100 ? 1 : 0)} m²`;
}

export function clock(at: string | null, timezone: string): string {
  if (!at) return "–";
  return new Intl.DateTimeFormat(language.value, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: timezone,
  }).format(new Date(at));
}

/** Day and time at the site: what is due may be due tomorrow. */
export function moment(at: string | null, timezone: string): string {
  if (!at) return "–";
  return new Intl.DateTimeFormat(language.value, {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: timezone,
  }).format(new Date(at));
}

/** Day and time at the site as a form's field holds them, as 2026-06-01T10:30. */
export function asField(at: string, timezone: string): string {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: timezone,
  }).format(new Date(at));
  return parts.replace(" ", "T");
}

/** The moment that a form's field names by the clocks of the site. */
export function fromField(field: string, timezone: string): string {
  const asUtc = Date.parse(`${field}:00Z`);
  const shownThen = Date.parse(`${asField(new Date(asUtc).toISOString(), timezone)}:00Z`);
  const guess = asUtc - (shownThen - asUtc);
  // Where clocks are changed between the two, the offset at the guess is the one that holds.
  const shown = Date.parse(`${asField(new Date(guess).toISOString(), timezone)}:00Z`);
  return new Date(guess - (shown - asUtc)).toISOString();
}

const REFUSALS_ZH: Record<string, string> = {
  illegal_move: "此工单当前状态不允许这样操作。",
  stale: "他人刚刚更改了此工单，现已显示最新内容，请核对后再试。",
  forbidden: "您没有权限进行此操作。",
  not_found: "没有找到，或不属于您的部门。",
  bad_request: "缺少必要内容或内容有误：",
  conflict: "与现有工单冲突：",
  too_large: "文件过大。",
  too_many: "操作过于频繁，请稍后再试。",
};

/** What went wrong as a sentence: the service words it in English, a Chinese reader is told in Chinese first. */
export function refused(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof Refused)) return say("no_service");
  if (language.value === "en-US") return sentence(error.message);
  const words = REFUSALS_ZH[error.word];
  if (!words) return error.message;
  return words.endsWith("：") ? `${words}${error.message}` : words;
}

function sentence(words: string): string {
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
