// Tables: a header that stays, numbers at the right, and only the visible rows drawn above 200.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

const DRAWN_AT_ONCE = 200;
const MARGIN = 12; // rows drawn above and below what is visible

/**
 * `columns` are {title, cell(row), isNumber, class, note}, `rows` any values with `keyOf(row)`.
 *
 * `open(row)` makes rows open something by a click; a link must be in one of the cells for the
 * keyboard. `caption` names the table for screen readers. `rowClass(row)` tints a row.
 */
export function Table({ caption, columns, rows, keyOf, chosen = null, open = null, rowClass = () => "", class: kind = "" }) {
  const scroller = useRef(null);
  const isVirtual = rows.length > DRAWN_AT_ONCE;
  const { first, last, height } = useWindow(scroller, rows.length, isVirtual);
  const drawn = isVirtual ? rows.slice(first, last) : rows;
  const gap = (amount) => isVirtual && amount > 0
    && html`<tr aria-hidden="true"><td class="gap" colspan=${columns.length} height=${amount * height}></td></tr>`;
  const line = (row, index) => html`<${Row} key=${keyOf(row)} ...${{ row, columns, open, rowClass }}
    isChosen=${chosen === keyOf(row)} number=${isVirtual ? first + index + 2 : undefined} />`;
  const region = isVirtual ? { tabindex: 0, role: "region", "aria-label": caption } : {};
  return html`<div class="scroll ${kind}" ref=${scroller} ...${region}>
    <table aria-rowcount=${isVirtual ? rows.length + 1 : undefined}><caption class="sr">${caption}</caption>
      <thead><tr>${columns.map((column) => html`<th scope="col" class=${column.isNumber ? "num" : ""} title=${column.note}>${column.title}</th>`)}</tr></thead>
      <tbody>${gap(first)}${drawn.map(line)}${gap(rows.length - last)}</tbody>
    </table></div>`;
}

function Row({ row, columns, isChosen, open, rowClass, number }) {
  const click = open && ((event) => event.target.closest("a, button, input") || open(row));
  return html`<tr class=${`${rowClass(row)} ${open ? "opens" : ""}`} aria-current=${isChosen ? "true" : undefined} aria-rowindex=${number} onClick=${click}>
    ${columns.map((column) => html`<td class=${`${column.isNumber ? "num" : ""} ${column.class ?? ""}`}>${column.cell(row)}</td>`)}
  </tr>`;
}

/** The rows of a scrolled element that have to be drawn: {first, last, height of a row}. */
export function useWindow(scroller, total, isOn, guess = 28) {
  const [view, change] = useState({ first: 0, last: 80, height: guess });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!isOn || !element) return undefined;
    const look = () => {
      const height = parseFloat(getComputedStyle(element).getPropertyValue("--row")) || guess;
      const first = Math.max(0, Math.floor(element.scrollTop / height) - MARGIN);
      const last = Math.min(total, Math.ceil((element.scrollTop + element.clientHeight) / height) + MARGIN);
      change((now) => (now.first === first && now.last === last && now.height === height ? now : { first, last, height }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => (element.removeEventListener("scroll", look), removeEventListener("resize", look));
  }, [total, isOn]);
  return isOn ? { ...view, last: Math.min(view.last, total) } : { first: 0, last: total, height: guess };
}
