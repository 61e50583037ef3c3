// The waterfall: a row for each part, call and attempt, with its bar on one scale.
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { useWidth } from "../../components/charts.js";
import { Dot } from "../../components/state.js";
import { millis } from "../../format.js";
import { html } from "../../html.js";
import { useKeys } from "../../keys.js";
import { fit } from "../../measure.js";
import { rowsOf, scaleStep, unfolded } from "./rows.js";

const ROW = 24;
const LEAST = 2.5; // pixels of a bar
const ROOM = 16; // pixels right of the longest bar

/** `other` is a second RequestDetail, drawn as outlines; `colourOf(part)` is 1…10. */
export function Waterfall({ detail, other = null, colourOf }) {
  const rows = useMemo(() => rowsOf(detail), [detail]);
  const others = useMemo(() => new Map(other ? rowsOf(other).filter(({ depth }) => depth < 2).map((row) => [row.kind === "request" ? "request" : row.name, row]) : []), [other]);
  const [folded, fold] = useState(new Set());
  useLayoutEffect(() => fold(new Set()), [detail.row.id]);
  const [element, width] = useWidth(432);
  const ends = [...rows, ...others.values()].flatMap(({ bars }) => bars.map(({ end }) => end));
  const total = Math.max(detail.row.seconds, other?.row.seconds ?? 0, ...ends, 1e-4);
  const scale = { x: (seconds) => (seconds / total) * (width - ROOM), width, ticks: ticksOf(total) };
  const toggle = (id) => fold((old) => flipped(old, id));
  const foldable = rows.filter((row) => row.isFoldable && row.depth > 0).map(({ id }) => id);
  useKeys({ ArrowLeft: () => foldable.length > 0 && fold(new Set(foldable)), ArrowRight: () => fold(new Set()) });
  return html`<div class="wf"><div class="hd" aria-hidden="true"><span>part</span><span>service</span><svg width="100%" height="16">${scale.ticks.map((tick, index) => html`<text x=${scale.x(tick)} y="12" font-size="11" class="f-muted" text-anchor=${index ? "middle" : "start"}>${tickText(tick)}${index ? "" : " ms"}</text>`)}</svg><span class="du">ms</span></div>
    <div class="ruler" aria-hidden="true"><span></span><span></span><span ref=${element}></span><span></span></div>
    <ul aria-label="Waterfall">${unfolded(rows, ({ id }) => folded.has(id)).map((row) => html`<${WaterfallRow} key=${row.id} row=${row} other=${row.depth < 2 ? others.get(row.kind === "request" ? "request" : row.name) : null} scale=${scale} colour=${row.part ? colourOf(row.part) : 0} isFolded=${folded.has(row.id)} toggle=${toggle} />`)}</ul></div>`;
}

function flipped(set, id) {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Milliseconds with as many decimals as lines of the scale need: 0.5, 1, 1.5. */
function tickText(tick) {
  const value = tick * 1000;
  return value < 10 ? String(Number(value.toPrecision(2))) : millis(tick);
}

function ticksOf(total) {
  const step = scaleStep(total);
  return Array.from({ length: Math.floor((total * 0.97) / step) + 1 }, (_, index) => index * step);
}

function WaterfallRow({ row, other, scale, colour, isFolded, toggle }) {
  const kind = `l${Math.min(row.depth, 2)} ${row.kind} ${row.blame ? `sel s-${row.state === "ok" ? "fallback" : row.state}-row` : ""}`;
  return html`<li class=${kind}>
    <span class="nm">${row.isFoldable ? html`<button type="button" class="fold" aria-expanded=${String(!isFolded)} aria-label=${`${row.name}: ${isFolded ? "unfold" : "fold"}`} onClick=${() => toggle(row.id)}>${isFolded ? "▸" : "▾"}</button>` : html`<em></em>`}
      ${row.state && html`<${Dot} state=${row.state} />`}${colour > 0 && html`<i class="swatch p${colour}"></i>`}<span title=${row.name}>${row.name}</span></span>
    <span class="op" title=${row.detail}>${row.detail}</span>
    <${Track} row=${row} other=${other} scale=${scale} />
    <span class="du">${row.seconds < 0 ? "–" : millis(row.seconds)}<span class="sr"> ms. ${row.blame || row.notes.join(", ")}</span></span></li>`;
}

function Track({ row, other, scale }) {
  const { x, width } = scale;
  const grid = scale.ticks.slice(1).map((tick) => `M${x(tick).toFixed(1)} 0V${ROW}`).join("");
  const right = Math.max(...row.bars.map(({ start, end }) => Math.max(x(end), x(start) + LEAST)));
  const left = Math.min(...row.bars.map(({ start }) => x(start)));
  return html`<svg class="tl" width="100%" height=${ROW} aria-hidden="true">
    ${grid && html`<path d=${grid} class="k-soft" />`}
    ${row.bars.map((bar) => html`<${OneBar} bar=${bar} x=${x} />`)}
    ${other && other.bars.map((bar) => html`<rect class="second" x=${x(bar.start)} y="18" width=${Math.max(LEAST, x(bar.end) - x(bar.start))} height="4" rx="1.5" />`)}
    ${row.timeout > 0 && row.blame && html`<path d="M${right} 2V22" class="k-ink" stroke-width="1.5" />`}
    <${Note} row=${row} left=${left} right=${right} width=${width} /></svg>`;
}

function OneBar({ bar, x }) {
  const at = x(bar.start);
  const length = bar.isTick ? LEAST : Math.max(LEAST, x(bar.end) - at);
  const [top, height] = bar.isTall ? [4, 16] : [8, 8];
  const tone = bar.tone === "ghost" || bar.tone === "hatch" ? bar.tone : `f-${bar.tone}`;
  return html`<rect x=${at.toFixed(1)} y=${top} width=${length.toFixed(1)} height=${height} rx="2" class=${tone}>${bar.title && html`<title>${bar.title}</title>`}</rect>`;
}

/** The marks right of the bar, left of it where there is no room; the reason inside of a blamed bar. */
function Note({ row, left, right, width }) {
  const text = row.blame || row.notes.join(" · ");
  if (!text) return null;
  const font = row.blame ? "600 11px" : "11px";
  const weight = row.blame ? 600 : 400;
  const { width: needed } = fit(text, font, Infinity);
  if (row.blame && needed + 22 < right - left) return html`<text x=${right - 11} y="16" font-size="11" font-weight="600" text-anchor="end" class="inside">${text}</text>`;
  const kind = row.blame ? "f-ink" : text === "critical" || row.kind === "attempt" ? "f-muted" : "f-ink2";
  const isLeft = right + 6 + needed > width && left - 6 > width - right;
  const cut = fit(text, font, (isLeft ? left : width - right) - 8).text;
  return html`<text x=${isLeft ? left - 6 : right + 6} y="16" font-size="11" font-weight=${weight} text-anchor=${isLeft ? "end" : "start"} class=${kind}>${cut}<title>${text}</title></text>`;
}
