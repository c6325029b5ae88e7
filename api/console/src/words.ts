// What the page says, in English and Chinese. Both languages hold the same keys (the type sees to it).

import { signal } from "@preact/signals";
import { Refused } from "./api";
import { codes } from "./codes";
import type { Names } from "./model";

export type Language = "en-US" | "zh-CN";

const english = {
  product: "Gridpatrol",
  sign_in: "Sign in",
  token: "Access token",
  token_help: "The token was printed when the service started.",
  login: "Login",
  password: "Password",
  code: "Code of your authenticator, or a recovery code",
  login_refused: "Login, password or code is wrong. After five failures the login is shut for a while.",
  use_token: "Sign in with an access token",
  use_password: "Sign in with a password",
  use_provider: "Sign in at your organisation",
  factor_title: "Set up your second factor",
  factor_scan: "Read this picture with an authenticator app, or type the secret into it. Then type the code it shows.",
  factor_secret: "Secret",
  factor_confirm: "Confirm",
  factor_wrong: "This code is not right. Check the phone's clock and try the next code.",
  factor_codes: "Keep these codes somewhere safe. Each lets you in once if the phone is lost.",
  factor_done: "I have kept them: sign in",
  accounts: "People",
  keys: "Keys",
  sessions: "Sessions",
  trail: "What was done",
  trail_holds: "The trail holds",
  trail_broken: "The trail does not hold",
  outside: "Outside",
  name: "Name",
  role: "Role",
  agency: "Agency",
  since: "since",
  disable: "Disable",
  enable: "Enable",
  unlock: "Unlock",
  end: "End",
  ended: "ended",
  disabled: "disabled",
  locked: "locked out",
  second_factor: "second factor",
  add_person: "Add a person",
  add: "Add",
  nothing_yet: "Nothing yet.",
  more: "More",
  token_refused: "This token is not known. Check it and try again.",
  no_service: "The service does not answer. Is it running?",
  sign_out: "Sign out",
  live: "live",
  reconnecting: "reconnecting…",
  alerts: "Alerts",
  incidents: "Incidents",
  flights: "Flights",
  docks: "Docks",
  no_incidents: "Nothing found so far.",
  no_alerts: "No alerts so far.",
  no_sorties: "No flights yet.",
  looks: "looks",
  hottest: "hottest",
  area: "area",
  place_error: "place within",
  confidence: "confidence",
  first_seen: "first seen",
  last_seen: "last seen",
  told: "told",
  picture: "Picture as marked",
  no_picture: "The picture is not here yet.",
  acknowledge: "Acknowledge",
  acknowledged: "acknowledged",
  back: "Back",
  battery: "battery",
  height: "above dock",
  speed: "speed",
  pictures: "pictures",
  planned: "planned",
  serves: "serves",
  steps: "Steps",
  recall: "Recall",
  recall_sure: "Call this drone home now?",
  pause: "Pause",
  resume: "Resume",
  door: "door",
  charger: "charger",
  dock: "dock",
  drone: "drone",
  attempts: "tries",
  minutes: "min",
  copy_place: "Copy place",
  language: "中文",
  layer_help: "Fire-watched ground is shaded. Ellipse: the truth lies inside with 95 % probability.",
  coverage: "What was looked at",
  coverage_help: "Green: within an hour; yellow 3 h; orange 6 h; red older; grey: not seen in a day.",
  witnesses: "Told by",
  ask_look: "Ask for a look",
  orders: "Orders",
  no_orders: "No work orders so far.",
  no_order: "Nobody works on this yet.",
  make_order: "Make a work order",
  to_incident: "Show the incident",
  assignee: "Who goes there",
  nobody_assigned: "nobody yet",
  be_there_by: "There by",
  resolve_by: "Resolved by",
  late: "late",
  leads: "leads",
  look_from_the_air: "Look from the air",
  verdict: "What it was",
  choose: "choose…",
  reason: "Reason",
  note: "Note",
  rating: "Rating",
  dispatch: "Dispatch",
  send_others: "Send somebody else",
  arrive: "We are there",
  resolve: "Resolved",
  close: "Close",
  rate: "Rate",
  reopen: "Open again",
  do_it: "Confirm",
  leave: "Leave it",
  checklist: "Checklist",
  ground_pictures: "Pictures from the ground",
  add_picture: "Add a picture",
  add_note: "Add the note",
  history: "What was done",
  only_watching: "You see this order; its own agency works on it.",
};

const chinese: typeof english = {
  product: "Gridpatrol 共享航班",
  sign_in: "登录",
  token: "访问令牌",
  token_help: "令牌在服务启动时已打印。",
  login: "账号",
  password: "密码",
  code: "验证器动态码或恢复码",
  login_refused: "账号、密码或动态码有误。连续五次失败后账号会暂时锁定。",
  use_token: "使用访问令牌登录",
  use_password: "使用密码登录",
  use_provider: "使用单位统一身份登录",
  factor_title: "设置第二重验证",
  factor_scan: "用验证器应用扫描此图，或手动输入密钥，然后输入其显示的动态码。",
  factor_secret: "密钥",
  factor_confirm: "确认",
  factor_wrong: "动态码不正确，请核对手机时间后输入下一个动态码。",
  factor_codes: "请妥善保存以下恢复码。手机丢失时，每个恢复码可登录一次。",
  factor_done: "已保存，去登录",
  accounts: "人员",
  keys: "密钥",
  sessions: "会话",
  trail: "操作记录",
  trail_holds: "记录完整",
  trail_broken: "记录不完整",
  outside: "外部连接",
  name: "姓名",
  role: "角色",
  agency: "部门",
  since: "始于",
  disable: "停用",
  enable: "启用",
  unlock: "解锁",
  end: "结束",
  ended: "已结束",
  disabled: "已停用",
  locked: "暂时锁定",
  second_factor: "第二重验证",
  add_person: "添加人员",
  add: "添加",
  nothing_yet: "暂无内容。",
  more: "更多",
  token_refused: "令牌无效，请核对后重试。",
  no_service: "服务没有响应，请确认已启动。",
  sign_out: "退出",
  live: "实时",
  reconnecting: "正在重连…",
  alerts: "预警",
  incidents: "事件",
  flights: "架次",
  docks: "机巢",
  no_incidents: "暂未发现异常。",
  no_alerts: "暂无预警。",
  no_sorties: "暂无架次。",
  looks: "次观测",
  hottest: "最高温",
  area: "面积",
  place_error: "定位误差",
  confidence: "置信度",
  first_seen: "首次发现",
  last_seen: "最近发现",
  told: "已通知",
  picture: "标注图片",
  no_picture: "图片尚未到达。",
  acknowledge: "确认收到",
  acknowledged: "已确认",
  back: "返回",
  battery: "电量",
  height: "距机巢高度",
  speed: "速度",
  pictures: "图片",
  planned: "计划",
  serves: "服务部门",
  steps: "过程",
  recall: "召回",
  recall_sure: "立即召回这架无人机？",
  pause: "暂停",
  resume: "继续",
  door: "舱门",
  charger: "充电",
  dock: "机巢",
  drone: "无人机",
  attempts: "次尝试",
  minutes: "分钟",
  copy_place: "复制位置",
  language: "English",
  layer_help: "阴影为防火巡护范围。椭圆：真实位置以 95% 概率在其中。",
  coverage: "巡视覆盖",
  coverage_help: "绿：1小时内；黄：3小时内；橙：6小时内；红：更早；灰：一天内未看到。",
  witnesses: "信息来源",
  ask_look: "派机查看",
  orders: "工单",
  no_orders: "暂无工单。",
  no_order: "尚无人处置。",
  make_order: "建立工单",
  to_incident: "查看事件",
  assignee: "派往人员",
  nobody_assigned: "未指派",
  be_there_by: "到场时限",
  resolve_by: "处置时限",
  late: "已超时",
  leads: "牵头",
  look_from_the_air: "空中复核",
  verdict: "认定结果",
  choose: "请选择…",
  reason: "原因",
  note: "备注",
  rating: "评分",
  dispatch: "派出",
  send_others: "改派",
  arrive: "已到场",
  resolve: "处置完毕",
  close: "结案",
  rate: "评价",
  reopen: "重新打开",
  do_it: "确定",
  leave: "取消",
  checklist: "检查项",
  ground_pictures: "现场图片",
  add_picture: "添加图片",
  add_note: "添加备注",
  history: "办理过程",
  only_watching: "您可查看此工单，由其所属部门处置。",
};

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

export function say(key: keyof typeof english): string {
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
