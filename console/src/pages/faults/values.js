// The values of a card's faults: their limits, their words, and what people type.

/** The faults with a slider: `max` is the slider's end, `limit` what can be typed (ms, or percent). */
export const SLIDERS = [
  { name: "latency", unit: "ms", max: 2000, step: 10, limit: 3_600_000, factor: 1000 },
  { name: "errors", unit: "%", max: 100, step: 1, limit: 100, factor: 100 },
  { name: "hang", unit: "%", max: 100, step: 1, limit: 100, factor: 100 },
  { name: "garbage", unit: "%", max: 100, step: 1, limit: 100, factor: 100 },
];

export const SPREADS = [[0, "constant"], [0.3, "narrow"], [0.6, "wide"], [1, "a long tail"]];
export const FLAVOURS = [["", "as it was"], ["syntax", "broken JSON"], ["cut", "cut off"], ["nan", "NaN"], ["deep", "nested too deeply"], ["shape", "another shape"], ["html", "an HTML page"], ["charset", "another charset"], ["empty", "an empty body"]];
export const KINDS = [["unavailable", "503 with Retry-After"], ["hang_mid_body", "hang in the body"], ["drip", "byte by byte"], ["reset", "connection reset"], ["truncated", "connection closed early"], ["wrong_length", "wrong Content-Length"], ["surplus", "bytes after the end"], ["oversized", "endless body"], ["gzip_bomb", "gzip bomb"]];

/** Whether anything is wrong with a service on purpose. */
export function isFaulted(card) {
  return SLIDERS.some(({ name }) => card[name] > 0) || card.others.length > 0 || card.kinds?.length > 0;
}

/** "120 ms", "2.5 s", "5 %", "–" for nothing. */
export function wordOf({ unit, factor }, value) {
  const shown = Math.round(value * factor * 10) / 10;
  if (shown === 0) return "–";
  return unit === "ms" && shown > 2000 ? `${shown / 1000} s` : `${shown} ${unit}`;
}

/** What a reader typed, in the model's unit: "3 s", "250", "250 ms", "5 %"; null if it says nothing. */
export function parsed({ unit, limit, factor }, text) {
  const words = text.trim().toLowerCase();
  if (words === "" || words === "–" || words === "-") return 0;
  const found = /^(\d+(?:[.,]\d+)?)\s*(ms|s|%)?$/.exec(words);
  if (!found || (found[2] && (found[2] === "%") !== (unit === "%"))) return null;
  const amount = Number(found[1].replace(",", ".")) * (found[2] === "s" ? 1000 : 1);
  return Math.min(amount, limit) / factor;
}

/** The body of a change: the card's faults with `changes`; other kinds only if they changed. */
export function bodyOf(card, changes) {
  const { latency, errors, hang, garbage, spread = 0, flavour = "" } = { ...card, ...changes };
  return { latency, errors, hang, garbage, spread, flavour, kinds: changes.kinds ?? null };
}
