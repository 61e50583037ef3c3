// Cards, the sentence that a page starts with, and tabs.
import { useEffect, useRef, useState } from "preact/hooks";
import { marked, plain } from "../marked.js";
import { html } from "../html.js";
import { placed } from "../router.js";
import { Shape } from "./state.js";

const ANNOUNCE_EVERY = 10_000; // ms between two sentences that a screen reader speaks

/** A panel with a title; `note` stands after it, `end` at the right. */
export function Card({ title, note = "", end = null, class: kind = "", children }) {
  return html`<section class="card ${kind}" aria-label=${title}>
    <header><h2>${title}</h2>${note && html`<span class="muted note">${note}</span>`}${end && html`<span class="end">${end}</span>`}</header>
    ${children}
  </section>`;
}

/**
 * The answer: the sentence of a model's Headline, in the tint of its state.
 *
 * `isFact` has no tint, `actions` are buttons at its end.
 */
export function Headline({ headline, isFact = false, isCompact = false, actions = null }) {
  const kind = isFact ? "fact" : `a-${headline.state}`;
  const links = headline.links?.map(([label, href]) => html`<a class="btn" href=${placed(href)}>${label}</a>`) ?? [];
  return html`<div class="answer ${kind} ${isCompact ? "compact" : ""}">
    ${!isFact && html`<${Shape} state=${headline.state} size=${isCompact ? 14 : 16} />`}
    <span>${marked(headline.text)}</span>
    ${(links.length > 0 || actions) && html`<span class="more">${links}${actions}</span>`}
    ${!isCompact && html`<${Announced} text=${plain(headline.text)} />`}
  </div>`;
}

/** Speaks the newest sentence to screen readers, at most every 10 s. */
function Announced({ text }) {
  const [spoken, speak] = useState("");
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + ANNOUNCE_EVERY - Date.now());
    const timer = setTimeout(() => ((last.current = Date.now()), speak(text)), wait);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<span class="sr" aria-live="polite">${spoken}</span>`;
}

/**
 * Tabs of one panel: `items` are [name, title] pairs, `panel` the id of what they show.
 *
 * Arrow keys move between them, as readers of ARIA's tabs expect.
 */
export function Tabs({ label, items, chosen, choose, panel }) {
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = items.findIndex(([name]) => name === chosen);
    choose(items[(index + step + items.length) % items.length][0]);
    event.currentTarget.children[(index + step + items.length) % items.length].focus();
  };
  return html`<span class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${items.map(([name, title]) => html`<button type="button" role="tab" aria-selected=${String(name === chosen)} aria-controls=${panel}
      tabindex=${name === chosen ? 0 : -1} onClick=${() => choose(name)}>${title}</button>`)}
  </span>`;
}
