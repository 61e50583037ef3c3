// Figures as people read them: bytes, durations, ages, dates.

const language = () => globalThis.document?.documentElement.lang || "en";

/** Returns 2953 as "2.9 KB", 47213 as "46 KB". */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  const [size, unit] = count < 1024 ** 2 ? [count / 1024, "KB"] : [count / 1024 ** 2, "MB"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

/** Returns 41.3 as "41 ms", 1240 as "1.2 s". */
export function duration(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 10 && ms > 0 ? `${ms < 1 ? "< 1" : Math.round(ms)} ms` : `${Math.round(ms)} ms`;
}

/** Returns how long ago a moment (milliseconds since 1970) was: "just now", "20 s ago", "3 min ago". */
export function ago(at, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 5) return "just now";
  return `${span(seconds)} ago`;
}

/** Returns a number of seconds as "20 s", "3 min", "2 h", "4 days". */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Returns "2026-10-25T09:12:00Z" as "25 Oct 2026". */
export function day(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return new Intl.DateTimeFormat(language(), { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(date);
}

/** Returns "payment_methods" as "payment methods". */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** Returns ["a", "b", "c"] as "a, b and c". */
export function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
