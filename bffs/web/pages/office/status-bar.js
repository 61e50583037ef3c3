// The line at the foot: what the last request received, and which parts are not whole.

import { el, icon, replace } from "../shared/dom.js";
import { bytes, duration, span } from "../shared/format.js";
import { badge, isWhole, sayPart } from "../shared/parts.js";
import { stateBadge } from "../shared/states.js";

export function statusBar({ onReload }) {
  const facts = el("span", { class: "status-facts" });
  const reload = el("button", { type: "button", class: "link", id: "reload", title: "Load this screen again (r)", onclick: onReload }, icon("retry", { size: 12 }), "Reload");
  const node = el("footer", { class: "status-bar" }, facts, el("span", { class: "grow" }), reload);

  // Of a stream it is not known beforehand what will be fetched. Broken parts have a badge each; old ones are counted: most of a screen may come from caches.
  function show(received) {
    const { route, state, bytes: size, fetched, calls, ms, parts } = received;
    const broken = parts.filter((part) => !isWhole(part));
    const old = parts.filter((part) => part.state === "stale");
    replace(
      facts,
      stateBadge(state),
      el("code", {}, route),
      size > 0 && el("span", {}, el("b", {}, bytes(size)), fetched > 0 && ` of ${bytes(fetched)} fetched`),
      calls !== null && el("span", { class: "calls" }, `1 request → ${calls} ${calls === 1 ? "call" : "calls"}`),
      el("span", {}, duration(ms)),
      broken.map((part) => badge(part)),
      old.length > 0 && el("span", { class: "muted", title: old.map(sayPart).join(", ") }, `${old.length} ${old.length === 1 ? "part" : "parts"} from cache, up to ${span(Math.max(...old.map(({ age }) => age)))} old`),
    );
  }

  return { node, show };
}
