// Small charts as plain SVG: a line, stacked areas, a bar.
import { useEffect, useRef, useState } from "preact/hooks";
import { minute, number, timeOfDay } from "../format.js";
import { html } from "../html.js";
import { fit } from "../measure.js";
import { placeLabels } from "./event-labels.js";

const LEAST_POINTS = 2; // fewer are no course

/**
 * The course of a figure, from 0 to its largest value. A dotted line spans points that are not
 * known, and a value between two such gaps is a dot.
 */
export function Sparkline({ values, width = 76, height = 26, tone = "work", isFilled = false, x, y }) {
  const points = placed(values, width, height);
  const lines = runs(points);
  if (lines.flat().length < LEAST_POINTS) return null;
  const gaps = lines.slice(1).map((line, index) => `M${lines[index].at(-1)}L${line[0]}`).join("");
  return html`<svg ...${{ x, y }} width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
    ${isFilled && lines.map((line) => line.length > 1 && html`<path class="f-${tone}" opacity=".16" d="M${line.join(" ")} L${line.at(-1).split(" ")[0]} ${height} ${line[0].split(" ")[0]} ${height}Z" />`)}
    ${gaps && html`<path class="f-none k-wait" stroke-width="1.2" stroke-dasharray="1.5 2.5" d=${gaps} />`}
    ${lines.map((line) => html`<path class="f-none k-${tone}" stroke-width=${line.length === 1 ? 2.6 : 1.4} stroke-linejoin="round" stroke-linecap="round" d="M${line.join(" ")}${line.length === 1 ? "h.1" : ""}" />`)}
  </svg>`;
}

function placed(values, width, height) {
  const top = Math.max(...values.map((value) => value ?? 0)) * 1.06 || 1;
  const step = width / Math.max(1, values.length - 1);
  return values.map((value, index) => (value === null ? null : `${round(index * step)} ${round(height - (value / top) * (height - 2) - 1)}`));
}

function runs(points) {
  const all = [[]];
  for (const point of points) {
    if (point !== null) all.at(-1).push(point);
    else if (all.at(-1).length) all.push([]);
  }
  return all.filter((line) => line.length);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

/** A share from 0 to 1 as a bar; `tone` names its colour. */
export function Bar({ share, width = 70, height = 6, tone = "work", x, y }) {
  const length = share > 0 ? Math.max(2, share * width) : 2;
  return html`<svg ...${{ x, y }} width=${width} height=${height} aria-hidden="true">
    <rect width=${width} height=${height} rx=${height / 2} class="f-wait" opacity=".55" />
    <rect width=${round(Math.min(length, width))} height=${height} rx=${height / 2} class="f-${tone}" />
  </svg>`;
}

/** The width of an element in pixels, as it is now. */
export function useWidth(start) {
  const element = useRef(null);
  const [width, change] = useState(start);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => change(Math.round(entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

const LAYERS = [["ok", "ok calm"], ["stale", "stale"], ["degraded", "fallback"], ["failed", "failed"]];

const LABEL_ROW = 13; // pixels

/**
 * Responses per second, stacked by state; `events` are {time, text}, a dotted line each.
 *
 * `finding` says in a sentence what the chart shows. Where most points have no response each of the
 * others is a bar: a line would slope through seconds without any.
 */
export function Area({ responses, events = [], finding, height = 168 }) {
  const [element, width] = useWidth(690);
  const { start, step } = responses;
  const amount = responses.ok.length;
  const totals = responses.ok.map((_, index) => LAYERS.reduce((sum, [name]) => sum + responses[name][index], 0));
  const isSparse = totals.filter((total) => total === 0).length > amount / 3;
  const frame = { left: 34, right: width - 10, top: 8, bottom: height - 18 };
  const span = step * Math.max(1, isSparse ? amount : amount - 1);
  const x = (instant) => frame.left + ((instant - start) / span) * (frame.right - frame.left);
  const lines = events.map((event) => ({ ...event, x: Math.min(x(event.time), frame.right) }));
  const labels = placeLabels(lines, frame, (text, most) => fit(text, "11px", most));
  const room = labels.length ? 8 + LABEL_ROW * Math.max(...labels.map(({ row }) => row)) : 0;
  const top = ceiling(Math.max(...totals) || 1);
  const y = (value) => frame.bottom - (value / top) * (frame.bottom - frame.top - 4 - room);
  const ticks = [0, top / 2, top];
  const end = start + span;
  const clock = end - start < 600 ? timeOfDay : minute;
  return html`<div class="area" ref=${element}><svg width=${width} height=${height} role="img" aria-label=${finding}>
    ${ticks.map((tick) => html`<path d="M${frame.left} ${round(y(tick))}H${frame.right}" class="k-soft" /><text x=${frame.left - 6} y=${round(y(tick)) + 4} text-anchor="end" class="f-muted" font-size="11">${number(tick)}</text>`)}
    ${isSparse ? barsOf(responses, (index) => x(start + index * step), y) : stacked(responses, (index) => x(start + index * step), y)}
    ${lines.map((event) => html`<path d="M${round(event.x)} 4V${frame.bottom}" class="k-ink event" stroke-dasharray="2 3"><title>${timeOfDay(event.time)} ${event.text}</title></path>`)}
    ${labels.map((label) => html`<rect x=${round(label.from - 2)} y=${2 + label.row * LABEL_ROW} width=${round(label.to - label.from + 4)} height=${LABEL_ROW} class="f-surface" /><text x=${round(label.x)} y=${13 + label.row * LABEL_ROW} text-anchor=${label.end ? "end" : "start"} class="f-ink" font-size="11">${label.text}</text>`)}
    ${[0, 1, 2, 3].map((third) => html`<text x=${round(x(start + (span * third) / 3))} y=${height - 2} class="f-muted" font-size="11" text-anchor=${["start", "middle", "middle", "end"][third]}>${clock(start + (span * third) / 3)}</text>`)}
  </svg></div>`;
}

function stacked(responses, x, y) {
  let below = responses.ok.map(() => 0);
  return LAYERS.map(([name, tone]) => {
    const above = below.map((value, index) => value + responses[name][index]);
    if (responses[name].every((value) => value === 0)) return null;
    const line = above.map((value, index) => `${round(x(index))} ${round(y(value))}`);
    const back = below.map((value, index) => `${round(x(index))} ${round(y(value))}`).reverse();
    below = above;
    return html`<path class="f-${tone}" d="M${line.join(" ")} L${back.join(" ")}Z" />`;
  });
}

function barsOf(responses, x, y) {
  const below = responses.ok.map(() => 0);
  return LAYERS.map(([name, tone]) => responses[name].map((value, index) => {
    if (!value) return null;
    const from = below[index];
    below[index] += value;
    return html`<rect class="f-${tone}" x=${round(x(index))} y=${round(y(below[index]))} width=${round(Math.max(1, x(index + 1) - x(index) - 1))} height=${round(y(from) - y(below[index]))} />`;
  }));
}

/** The next of 1, 2, 4, 5, 6, 8, 10 × a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 6, 8, 10].map((factor) => factor * power).find((tick) => tick >= value);
}
