// What has no slider: the spread of latencies, the kind of garbage, other faults.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { FLAVOURS, KINDS, SPREADS } from "./values.js";

export function More({ card, edit, close }) {
  const panel = useRef(null);
  useEffect(() => panel.current.querySelector("select").focus(), []);
  const kinds = card.kinds ?? [];
  const offered = KINDS.filter(([kind]) => !card.offers || card.offers.includes(kind));
  const toggle = (kind) => edit({ kinds: kinds.includes(kind) ? kinds.filter((one) => one !== kind) : [...kinds, kind] });
  const choice = (label, options, value, choose) => html`<label><span>${label}</span><select aria-label=${`${card.service}: ${label}`} onChange=${(event) => choose(event.target.value)}>
    ${options.map(([key, word]) => html`<option value=${key} selected=${key === value}>${word}</option>`)}</select></label>`;
  return html`<div class="moref" ref=${panel} role="group" aria-label=${`More faults of ${card.service}`} onKeyDown=${(event) => event.key === "Escape" && close()}>
    ${choice("latency is", SPREADS, nearest(card.spread ?? 0), (value) => edit({ spread: Number(value) }))}
    ${choice("garbage is", FLAVOURS, card.flavour ?? "", (value) => edit({ flavour: value }))}
    ${offered.length > 0 && html`<fieldset><legend>On every call</legend>${offered.map(([kind, word]) => html`<label class="check"><input type="checkbox" checked=${kinds.includes(kind)} onChange=${() => toggle(kind)} /> ${word}</label>`)}</fieldset>`}
  </div>`;
}

function nearest(spread) {
  return SPREADS.reduce((best, [value]) => (Math.abs(value - spread) < Math.abs(best - spread) ? value : best), 0);
}
