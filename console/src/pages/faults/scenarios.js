// Scenarios: one click, several services.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, put } from "../../api.js";
import { html } from "../../html.js";
import { bodyOf } from "./values.js";

const FLAP_EVERY = 5000; // ms

/** The scenarios that the services allow: {title, text, run}. Services of the shop come first. */
function scenariosOf(all, cards, set) {
  const pick = (name, position, among = cards) => among.find((card) => card.service === name) ?? among.at(position);
  const [down, slow, critical, garbage] = [pick("recommendations", -1, all), pick("reviews", -1), pick("users", 0), pick("pricing", 1) ?? cards[0]];
  return [
    { title: "One down", text: `stop ${down.service}`, isOff: down.state !== "running", run: () => post(`processes/${encodeURIComponent(down.service)}/stop`) },
    { title: `Slow ${slow.service}`, text: "0.4 s, a long tail", run: () => set(slow, { latency: 0.4, spread: 1 }) },
    { title: "Peak load", text: "all +150 ms, 2 % errors", run: () => Promise.all(cards.map((card) => set(card, { latency: 0.15, errors: 0.02 }))) },
    { title: "Critical hang", text: `${critical.service} never answers`, run: () => set(critical, { hang: 1 }) },
    { title: "Garbage", text: `${garbage.service} sends HTML`, run: () => set(garbage, { garbage: 1, flavour: "html" }) },
  ];
}

export function Scenarios({ cards, setCard, reload }) {
  const [problem, fail] = useState(null);
  const able = cards.filter((card) => card.takes_faults && card.state === "running");
  const set = async (card, changes) => setCard(await put(`faults/${encodeURIComponent(card.service)}`, bodyOf(card, changes)));
  const run = (scenario) => scenario().then(() => (fail(null), reload()), fail);
  const flap = useFlapping(able.find((card) => card.service === "orders") ?? able[0], set, fail);
  if (!able.length) return null;
  return html`<article class="card pre" aria-label="Scenarios"><header><h2>Scenarios</h2><span class="end">${problem ? html`<span class="t-failed" role="alert">${problem.title}</span>` : "one click, several services"}</span></header><div>
    ${scenariosOf(cards, able, set).map((one) => html`<button type="button" class="btn" key=${one.title} disabled=${one.isOff} onClick=${() => run(one.run)}><b>${one.title}</b><span>${one.text}</span></button>`)}
    <button type="button" class="btn" aria-pressed=${String(flap.isOn)} onClick=${flap.toggle}><b>${flap.isOn ? "Stop flapping" : "Flapping"}</b><span>${flap.name}: 5 s up, 5 s down</span></button>
  </div></article>`;
}

/** Errors of one service on and off, as long as this page is open. */
function useFlapping(card, set, fail) {
  const [name, choose] = useState("");
  const newest = useRef(null);
  newest.current = { card, set };
  useEffect(() => {
    if (!name) return undefined;
    let isDown = false;
    const turn = () => {
      isDown = !isDown;
      const now = newest.current;
      if (now.card) now.set(now.card, { errors: isDown ? 1 : 0 }).catch(fail);
    };
    turn();
    const timer = setInterval(turn, FLAP_EVERY);
    return () => {
      clearInterval(timer);
      if (isDown) turn();
    };
  }, [name]);
  return { isOn: name !== "", name: name || card?.service, toggle: () => choose(name ? "" : card.service) };
}
