// Small charts as plain SVG: a line, stacked areas, a bar.
import { useEffect, useRef, useState } from "preact/hooks";
import { minute, number } from "../format.js";
import { html } from "../html.js";

const LEAST_POINTS = 3; // fewer are no course

/** The course of a figure, from 0 to its largest value; gaps where it is not known. */
export function Sparkline({ values, width = 76, height = 26, tone = "work", isFilled = false, x, y }) {
  const points = placed(values, width, height);
  const lines = runs(points);
  if (lines.flat().length < LEAST_POINTS) return null;
  return html`<svg ...${{ x, y }} width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
    ${isFilled && lines.map((line) => html`<path class="f-${tone}" opacity=".16" d="M${line.join(" ")} L${line.at(-1).split(" ")[0]} ${height} ${line[0].split(" ")[0]} ${height}Z" />`)}
    ${lines.map((line) => html`<path class="f-none k-${tone}" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round" d="M${line.join(" ")}${line.length === 1 ? "h.1" : ""}" />`)}
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

/**
 * Responses per second, stacked by state; `events` are {time, text}, a dotted line each.
 *
 * `finding` says in a sentence what the chart shows.
 */
export function Area({ responses, events = [], finding, height = 168 }) {
  const [element, width] = useWidth(690);
  const frame = { left: 34, right: width - 10, top: 8, bottom: height - 18 };
  const { start, step } = responses;
  const amount = responses.ok.length;
  const totals = responses.ok.map((_, index) => LAYERS.reduce((sum, [name]) => sum + responses[name][index], 0));
  const top = ceiling(Math.max(1, ...totals));
  const x = (instant) => frame.left + ((instant - start) / (step * Math.max(1, amount - 1))) * (frame.right - frame.left);
  const y = (value) => frame.bottom - (value / top) * (frame.bottom - frame.top - 12);
  const ticks = [0, top / 2, top];
  const end = start + step * (amount - 1);
  return html`<div class="area" ref=${element}><svg width=${width} height=${height} role="img" aria-label=${finding}>
    ${ticks.map((tick) => html`<path d="M${frame.left} ${round(y(tick))}H${frame.right}" class="k-soft" /><text x=${frame.left - 6} y=${round(y(tick)) + 4} text-anchor="end" class="f-muted" font-size="11">${number(tick)}</text>`)}
    ${stacked(responses, (index) => x(start + index * step), y)}
    ${events.map((event) => html`<${EventLine} event=${event} x=${x(event.time)} frame=${frame} />`)}
    ${[0, 1, 2, 3].map((third) => html`<text x=${round(x(start + ((end - start) * third) / 3))} y=${height - 2} class="f-muted" font-size="11" text-anchor=${["start", "middle", "middle", "end"][third]}>${minute(start + ((end - start) * third) / 3)}</text>`)}
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

function EventLine({ event, x, frame }) {
  const isLate = x > (frame.left + frame.right) / 2;
  return html`<path d="M${round(x)} 4V${frame.bottom}" class="k-ink" stroke-dasharray="2 3" />
    <text x=${round(x + (isLate ? -6 : 6))} y="13" text-anchor=${isLate ? "end" : "start"} class="f-ink" font-size="11">${event.text}</text>`;
}

/** The next of 1, 2, 4, 5, 6, 8, 10 × a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 6, 8, 10].map((factor) => factor * power).find((tick) => tick >= value);
}
