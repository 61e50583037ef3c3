// Numbers, sizes and times, as the console writes them. None stands as "–".

const NONE = "–";
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 1,000 · 6.1 · 0.02: as many digits as tell something. */
export function number(value) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return grouped.format(value);
  if (size >= 1) return trim(value.toFixed(1));
  return size < 0.005 ? "<0.01" : trim(value.toFixed(size >= 0.1 ? 1 : 2));
}

function trim(text) {
  return text.replace(/\.0+$/, "");
}

/** A rate per second without its unit: 184 · 6.1. */
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value >= 10 ? grouped.format(value) : number(value);
}

/** A share from 0 to 1: "71.8 %", "100 %"; never 100 % if something is left. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  if (share < 1 && share >= 0.9995) return "99.9 %";
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  return `${value < 0.1 ? value.toFixed(2) : value.toFixed(1)} %`;
}

/** The same without decimals: "31 %". */
export function wholePercent(share) {
  if (share === null || share === undefined) return NONE;
  if (share > 0 && share < 0.01) return `${(share * 100).toFixed(1)} %`;
  return `${Math.round(share * 100)} %`;
}

/** Seconds as the number of milliseconds: "726", "0.4". */
export function millis(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const value = seconds * 1000;
  if (value > 0 && value < 0.05) return "<0.1";
  return value > 0 && value < 1 ? value.toFixed(1) : grouped.format(Math.round(value));
}

/** Seconds as "726 ms", "1,000 ms", "12.3 s", "4 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 10) return `${millis(seconds)} ms`;
  if (seconds < 120) return `${trim(seconds.toFixed(1))} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Bytes as "206 B", "2.9 KB", "173 KB"; a KB is 1,000 bytes. */
export function bytes(size) {
  if (size === null || size === undefined) return NONE;
  if (size < 1000) return `${size} B`;
  const [value, unit] = size < 1e6 ? [size / 1e3, "KB"] : [size / 1e6, "MB"];
  return `${value >= 100 ? grouped.format(value) : value.toFixed(1)} ${unit}`;
}

/** An instant (Unix seconds) as "02:16:40", with the day if it is not today. */
export function time(instant) {
  if (instant === null || instant === undefined) return NONE;
  const date = new Date(instant * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

/** "02:16:40", whatever the day: for dense columns. */
export function timeOfDay(instant) {
  return clock.format(new Date(instant * 1000));
}

/** "02:16". */
export function minute(instant) {
  return shortClock.format(new Date(instant * 1000));
}

/** "1 request", "2 requests", "1,000 requests". */
export function count(amount, one, many = `${one}s`) {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}

/** The fields of a log line as `name=value` text; long fractions are cut. */
export function fieldsOf({ fields }) {
  return Object.entries(fields).map(([name, value]) => `${name}=${/^\d+\.\d{5,}$/.test(value) ? Number(value).toFixed(4) : value}`).join(" ");
}
