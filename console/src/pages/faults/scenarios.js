// Scenarios: one click, several services.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, put } from "../../api.js";
import { html } from "../../html.js";
import { bodyOf } from "./values.js";

const FLAP_EVERY = 5000; // ms

/**
 * The services of the scenarios, the same whatever has stopped.
 *
 * Services that the screen survives are taken for all but the critical one; those of the shop come
 * first. Null if there is none.
 */
function rolesOf({ cards, critical = [], optional = [] }) {
  const able = cards.filter((card) => card.takes_faults || card.state !== "running");
  const find = (names, among) => names.map((name) => among.find((card) => card.service === name)).find(Boolean) ?? null;
  const spare = [...optional, ...cards.map((card) => card.service).filter((name) => !critical.includes(name)), ...critical];
  const nth = (position) => spare.filter((name) => find([name], able))[position];
  return {
    down: find(["recommendations", ...spare], cards),
    slow: find(["reviews", nth(1), ...spare], able),
    garbage: find(["pricing", nth(2), ...spare], able),
    flapping: find(["orders", nth(0), ...spare], able),
    critical: find(critical, able),
  };
}

/** The scenarios that the services allow: {title, text, card, run}. */
function scenariosOf(data, set) {
  const { down, slow, garbage, critical } = rolesOf(data);
  const able = data.cards.filter(isAble);
  return [
    down && { title: "One down", text: `stop ${down.service}`, isOff: down.state !== "running", run: () => post(`processes/${encodeURIComponent(down.service)}/stop`) },
    slow && { title: `Slow ${slow.service}`, text: "0.4 s, a long tail", isOff: !isAble(slow), run: () => set(slow, { latency: 0.4, spread: 1 }) },
    { title: "Peak load", text: "all +150 ms, 2 % errors", isOff: !able.length, run: () => Promise.all(able.map((card) => set(card, { latency: 0.15, spread: 0, errors: 0.02 }))) },
    critical && { title: "Critical hang", text: `${critical.service} never answers`, isOff: !isAble(critical), run: () => set(critical, { hang: 1 }) },
    garbage && { title: "Garbage", text: `${garbage.service} sends HTML`, isOff: !isAble(garbage), run: () => set(garbage, { garbage: 1, flavour: "html" }) },
  ].filter(Boolean);
}

function isAble(card) {
  return card.takes_faults && card.state === "running";
}

export function Scenarios({ data, setCard, reload }) {
  const [problem, fail] = useState(null);
  const set = async (card, changes) => setCard(await put(`faults/${encodeURIComponent(card.service)}`, bodyOf(card, changes)));
  const run = (scenario) => scenario().then(() => (fail(null), reload()), fail);
  const flap = useFlapping(rolesOf(data).flapping, set, fail);
  if (!flap.name) return null;
  return html`<article class="card pre" aria-label="Scenarios"><header><h2>Scenarios</h2><span class="end">${problem ? html`<span class="t-failed" role="alert">${problem.title}</span>` : "one click, several services"}</span></header><div>
    ${scenariosOf(data, set).map((one) => html`<button type="button" class="btn" key=${one.title} disabled=${one.isOff} onClick=${() => run(one.run)}><b>${one.title}</b><span>${one.text}</span></button>`)}
    <button type="button" class="btn" aria-pressed=${String(flap.isOn)} disabled=${flap.isOff} onClick=${flap.toggle}><b>${flap.isOn ? "Stop flapping" : "Flapping"}</b><span>${flap.name}: 5 s up, 5 s down</span></button>
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
      if (now.card && isAble(now.card)) now.set(now.card, { errors: isDown ? 1 : 0 }).catch(fail);
    };
    turn();
    const timer = setInterval(turn, FLAP_EVERY);
    const end = () => isDown && turn();
    addEventListener("pagehide", end); // a page that is closed leaves no fault behind
    return () => {
      clearInterval(timer);
      removeEventListener("pagehide", end);
      end();
    };
  }, [name]);
  return { isOn: name !== "", isOff: !name && !(card && isAble(card)), name: name || card?.service, toggle: () => choose(name ? "" : card.service) };
}
