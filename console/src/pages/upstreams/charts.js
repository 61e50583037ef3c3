// The histogram of latency against the timeouts that apply, and failures against the breaker's limit.
import { duration, number, wholePercent } from "../../format.js";
import { html } from "../../html.js";

const WIDTH = 432;
const HEIGHT = { bars: 118, failures: 102 };
const LABEL = 15; // the height of the label of a timeout; labels stand above the bars
const SHOWN_TIMEOUTS = 3;

/** Calls by how long they took (log buckets); bars beyond a timeout are amber, the last one red. */
export function Latency({ buckets, timeouts }) {
  const calls = buckets.reduce((sum, bucket) => sum + bucket.calls, 0);
  if (!calls) return html`<p class="muted none">No calls in the last 5 minutes.</p>`;
  const most = Math.max(...buckets.map((bucket) => bucket.calls));
  const step = WIDTH / buckets.length;
  const limit = timeouts.length ? Math.min(...timeouts.map((one) => one.seconds)) : Infinity;
  const late = buckets.filter((bucket) => bucket.upper > limit * 1.001).reduce((sum, bucket) => sum + bucket.calls, 0);
  const finding = `Histogram of latency: ${limit === Infinity ? `${number(calls)} calls` : `${wholePercent(late / calls)} of ${number(calls)} calls took longer than ${duration(limit)}`}`;
  const lines = timeouts.slice(0, SHOWN_TIMEOUTS).reverse(); // the longest on top: no line crosses a label
  const floor = lines.length * LABEL + 6 + HEIGHT.bars;
  return html`<svg viewBox="0 0 ${WIDTH} ${floor + 20}" width="100%" height=${floor + 20} role="img" aria-label=${finding}>
    ${buckets.map((bucket, index) => {
      const height = bucket.calls ? Math.max(2, Math.round((bucket.calls / most) * HEIGHT.bars)) : 0;
      return html`<rect x=${(index * step).toFixed(1)} y=${floor - height} width=${(step - Math.min(3, step / 4)).toFixed(1)} height=${height} rx="2" class="f-${toneOf(bucket, index, buckets, limit)}"><title>${`up to ${duration(bucket.upper)}: ${number(bucket.calls)} calls`}</title></rect>`;
    })}
    <path d="M0 ${floor + 0.5}H${WIDTH}" class="k-line" />${ticks(buckets, step, floor + 15)}
    ${lines.map((one, index) => html`<${TimeoutLine} key=${one.label} one=${one} x=${placeOf(one.seconds, buckets, step)} row=${index} floor=${floor} />`)}
  </svg>${timeouts.length > SHOWN_TIMEOUTS && html`<p class="muted">Longer: ${timeouts.slice(SHOWN_TIMEOUTS).map((one) => `${one.label}, ${duration(one.seconds)}`).join("; ")}</p>`}`;
}

function toneOf(bucket, index, buckets, limit) {
  if (bucket.upper <= limit * 1.001) return "work";
  return index === buckets.length - 1 ? "failed" : "fallback";
}

/** The x of an instant on the axis: between the edges of its bucket; null if it is beyond them. */
function placeOf(seconds, buckets, step) {
  const index = buckets.findIndex((bucket) => bucket.upper >= seconds * 0.999);
  if (index < 0) return null;
  const low = index ? buckets[index - 1].upper : 0;
  const share = Math.min(1, (seconds - low) / (buckets[index].upper - low || 1));
  return Math.min(WIDTH - 1, (index + share) * step - 1.5);
}

function ticks(buckets, step, y) {
  const every = Math.max(1, Math.round(buckets.length / 4));
  return buckets.map((bucket, index) => {
    const isLast = index === buckets.length - 1;
    if (!isLast && (index % every !== every - 1 || (buckets.length - 1 - index) * step < 64)) return null;
    const words = isLast ? duration(bucket.upper) : number(Math.round(bucket.upper * 1000 * (bucket.upper < 0.01 ? 10 : 1)) / (bucket.upper < 0.01 ? 10 : 1));
    return html`<text x=${((index + 1) * step - 3).toFixed(1)} y=${y} font-size="11" text-anchor="end" class="f-muted">${words}</text>`;
  });
}

/** A dashed line with its label above the bars; one that is beyond the axis has an arrow. */
function TimeoutLine({ one, x, row, floor }) {
  const y = 12 + row * LABEL;
  const words = `${one.label}, ${duration(one.seconds)}`;
  if (x === null) return html`<text x=${WIDTH} y=${y} font-size="11" text-anchor="end" class="f-ink2">${words} →</text>`;
  const isRight = x < 150;
  return html`<path d="M${x.toFixed(1)} ${y - 9}V${floor}" class="k-ink" stroke-dasharray="3 3" /><text x=${(x + (isRight ? 6 : -6)).toFixed(1)} y=${y} font-size="11" text-anchor=${isRight ? "start" : "end"} class="f-ink">${words}</text>`;
}

/** The share of failed calls over the last minutes; the dashed line is where the circuit opens. */
export function Failures({ failures, opensAt }) {
  const known = failures.filter((value) => value !== null);
  if (!known.length) return html`<p class="muted none">No calls in the last 5 minutes.</p>`;
  const top = Math.max(opensAt ?? 0, ...known, 0.05);
  const y = (share) => HEIGHT.failures - (share / top) * 80;
  const now = known.at(-1);
  const limit = opensAt === null ? "" : `; the circuit opens at ${wholePercent(opensAt)}`;
  const points = failures.map((value, index) => (value === null ? null : `${((index / Math.max(1, failures.length - 1)) * WIDTH).toFixed(0)} ${y(value).toFixed(1)}`)).filter(Boolean);
  const tone = now >= (opensAt ?? 1) ? "failed" : now > (opensAt ?? 1) / 4 ? "fallback" : "work";
  return html`<svg viewBox="0 0 ${WIDTH} 120" width="100%" height="120" role="img" aria-label=${`Failed calls: now ${wholePercent(now)}${limit}`}>
    ${opensAt !== null && html`<path d="M0 ${y(opensAt)}H${WIDTH}" class="k-failed" stroke-dasharray="4 3" /><text x="0" y=${y(opensAt) - 5} font-size="11" class="f-ink2">opens at ${wholePercent(opensAt)}</text>`}
    <path d="M${points.join(" ")} L${points.at(-1).split(" ")[0]} ${HEIGHT.failures} ${points[0].split(" ")[0]} ${HEIGHT.failures}Z" class="f-${tone}" opacity=".2" />
    <path d="M${points.join(" ")}" class="f-none k-${tone}" stroke-width="1.8" stroke-linejoin="round" />
    <path d="M0 ${HEIGHT.failures}H${WIDTH}" class="k-line" />
    <text x="0" y="117" font-size="11" class="f-muted">5 min ago</text><text x=${WIDTH} y="117" font-size="11" text-anchor="end" class="f-muted">now: ${wholePercent(now)}</text>
  </svg>`;
}
