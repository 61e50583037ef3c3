// Faults: mock services as cards, and the same screen as each client gets it meanwhile.
import { useEffect, useState } from "preact/hooks";
import { post, remove } from "../api.js";
import { Headline } from "../components/card.js";
import { Frame } from "../components/frame.js";
import { Empty, Loaded } from "../components/panels.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { onNews, status } from "../live-stream.js";
import { useResource } from "../resource.js";
import { Card } from "./faults/card.js";
import { Clients } from "./faults/clients.js";
import { Scenarios } from "./faults/scenarios.js";
import { isFaulted } from "./faults/values.js";

const EVERY = 1; // seconds between two looks
const NARROW = 720; // px: cards have one column

export function Page() {
  const page = useResource("faults", {}, { every: status.value === "live" ? EVERY : 0 });
  const setCard = (card) => page.set((now) => ({ ...now, cards: now.cards.map((one) => (one.service === card.service ? { ...one, ...card } : one)) }));
  useEffect(() => onNews(({ faults }) => faults && page.set((now) => now && { ...now, cards: faults })), []);
  return html`<${Frame} title="Faults" class="faults" note="mock services only, never in production">
    <${Loaded} resource=${page} what="the faults" rows=${12}>${(data) => html`<${Content} data=${data} setCard=${setCard} reload=${page.reload} />`}<//>
  <//>`;
}

/**
 * Cards of one column: what is stopped or broken comes first.
 *
 * The order is that of when the page opens: no card moves while a slider is dragged.
 */
function useOrder(cards) {
  const rank = (card) => (["stopped", "failed"].includes(card.state) ? 0 : isFaulted(card) ? 1 : 2);
  const [ranks] = useState(() => new Map(innerWidth > NARROW ? [] : cards.map((card) => [card.service, rank(card)])));
  const rankOf = ({ service }) => ranks.get(service) ?? 2;
  return [...cards].sort((one, other) => rankOf(one) - rankOf(other));
}

function Content({ data, setCard, reload }) {
  const cards = useOrder(data.cards);
  const [isSure, ask] = useState(false);
  const faulted = data.cards.filter((card) => isFaulted(card) || card.state === "stopped");
  const mend = ({ service, state }) => {
    const name = encodeURIComponent(service);
    return state === "stopped" ? post(`processes/${name}/start`) : remove(`faults/${name}`).then(setCard);
  };
  const reset = async () => {
    ask(false);
    await Promise.allSettled(faulted.map(mend));
    reload();
  };
  useKeys({ 0: () => (faulted.length ? ask(true) : false), Escape: () => (isSure ? ask(false) : false) });
  if (!data.cards.length) return html`<${NoServices} />`;
  const actions = faulted.length > 0 && html`<${Reset} amount=${faulted.length} ...${{ isSure, ask, reset }} />`;
  return html`<${Headline} headline=${data.headline} actions=${actions} />
    <div class="fl"><div class="grid">${cards.map((card) => html`<${Card} key=${card.service} card=${card} setCard=${setCard} reload=${reload} />`)}
      <${Scenarios} data=${data} setCard=${setCard} reload=${reload} /></div>
    <${Clients} data=${data} /></div>`;
}

function NoServices() {
  const text = "bff dev runs the services of pyproject.toml that have a command. Those with a control route /__faults__ take faults.";
  return html`<section class="card"><${Empty} title="No mock services" text=${text}>
    <pre class="sample"><code>bff add service reviews --mock</code></pre><//></section>`;
}

/** Removes the faults of all services and starts those that were stopped, after a question. */
function Reset({ amount, isSure, ask, reset }) {
  if (!isSure) return html`<button type="button" class="btn" onClick=${() => ask(true)}>Reset all <kbd>0</kbd></button>`;
  return html`<button type="button" class="btn" onClick=${() => ask(false)}>Cancel</button>
    <button type="button" class="btn sure" ref=${(button) => button?.focus()} onClick=${reset}>Reset ${count(amount, "service")}</button>`;
}
