// Screens: what a screen is made of, what happens without a service, what each client gets.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { Card, Headline } from "../components/card.js";
import { Frame } from "../components/frame.js";
import { Empty, ErrorPanel, Loaded } from "../components/panels.js";
import { Pick } from "../components/pick.js";
import { Badge } from "../components/state.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { installation, onNews } from "../live-stream.js";
import { partColours } from "../part-colours.js";
import { go, hrefOf, query, setQuery, subject } from "../router.js";
import { useResource } from "../resource.js";
import { Clients } from "./screens/clients.js";
import { MatrixMemory } from "./screens/matrix-memory.js";
import { Matrix } from "./screens/matrix.js";
import { Plan } from "./screens/plan.js";

const EVERY = 10; // seconds between two looks: each one requests the screen for every client

const memory = new MatrixMemory();
const dropped = signal(0); // how many times it was emptied: a page that reads it is drawn again
onNews((news) => memory.read(news) && (dropped.value += 1));

export function Page() {
  const names = useResource("screens");
  const name = subject.value || names.data?.[0]?.screen || "";
  return html`<${Frame} title="Screens" class="screens" filters=${html`<${Filters} names=${names.data ?? []} name=${name} />`}>
    <${Loaded} resource=${names} what="the list of screens">
      ${() => (name ? html`<${Screen} key=${name} name=${name} names=${names.data} />` : html`<${NoScreens} />`)}
    <//>
  <//>`;
}

function NoScreens() {
  return html`<section class="card"><${Empty} title="No screens yet" text="Screens appear here when a gateway serves a composition.">
    <pre class="sample"><code>bff add screen home --gateway web</code></pre><//></section>`;
}

function Filters({ names, name }) {
  const viewer = query.value.get("viewer") ?? "";
  const views = names.find(({ screen }) => screen === name)?.views ?? [];
  const options = names.map(({ screen }) => [screen, screen]);
  const choose = (next) => go(hrefOf("screens", { subject: next, query: { viewer } }));
  return html`<${Pick} label="Screen" options=${options} value=${name} onChange=${choose} />
    <${QueryField} name="viewer" placeholder="user 1" size="9" />
    ${inputsOf(views).map((one) => html`<${QueryField} key=${one} name=${one} placeholder="any" size="6" />`)}`;
}

/** A field for a value of the address' query: Enter applies it, and leaving the field. */
function QueryField({ name, placeholder, size }) {
  const apply = (field) => setQuery({ [name]: field.value.trim() });
  return html`<form class="viewer" onSubmit=${(event) => (event.preventDefault(), apply(event.target.elements[name]))}>
    <label>${name} <input name=${name} value=${query.value.get(name) ?? ""} placeholder=${placeholder} size=${size}
      autocomplete="off" onBlur=${(event) => apply(event.target)} /></label></form>`;
}

/** What a screen needs to know, from the paths of its routes: "product_id". */
function inputsOf(views) {
  return [...new Set(views.filter(([, route]) => route.startsWith("GET ")).flatMap(([, route]) => [...route.matchAll(/\{([^}:]+)/g)].map(([, name]) => name)))];
}

function pathOf(name, action, inputs) {
  const search = new URLSearchParams(inputs);
  return `screens/${encodeURIComponent(name)}/${action}${search.size ? `?${search}` : ""}`;
}

function Screen({ name, names }) {
  const inputs = Object.fromEntries(query.value);
  const [probe, change] = useState({ running: "", problem: null });
  const [experiment, show] = useState(null);
  const key = pathOf(name, "", inputs);
  const screen = useResource(`screens/${encodeURIComponent(name)}`, inputs, { every: experiment ? 0 : EVERY });
  const run = async (action, body, done) => {
    change({ running: action, problem: null });
    try {
      done(await post(pathOf(name, action, inputs), body));
      change({ running: "", problem: null });
    } catch (problem) {
      change({ running: "", problem });
    }
  };
  const showBroken = (found) => {
    if (found.broken.length === 1 && screen.data) memory.addRow(key, found.broken[0], screen.data, found);
    show(found);
  };
  const breakThese = (broken) => (broken.length ? run("break", { broken }, showBroken) : show(null));
  const showMatrix = (found) => (memory.add(key, found), screen.set({ ...found, has_matrix: false, matrix: [] }), show(null));
  useKeys({ Escape: () => (experiment ? show(null) : false) });
  void dropped.value;
  return html`<${Loaded} resource=${screen} what=${`the screen ${name}`} rows=${12}>
    ${(data) => html`<${Detail} data=${experiment ?? data} base=${memory.complete(key, data)} viewer=${inputs.viewer ?? ""}
      colourOf=${partColours(names, name, data.plan.map(({ part }) => part))}
      probe=${probe} breakThese=${breakThese} computeMatrix=${() => run("matrix", {}, showMatrix)} />`}
  <//>`;
}

function Detail({ data, base, colourOf, probe, breakThese, computeMatrix, viewer }) {
  const broken = data.broken;
  const isFact = !broken.length && ["ok", "fallback", "stale"].includes(data.headline.state);
  const hint = installation.value?.is_development === false ? "" : "click a service to break it here";
  return html`<${Headline} headline=${data.headline} isFact=${isFact} />
    ${broken.length > 0 && html`<${Experiment} broken=${broken} breakThese=${breakThese} />`}
    ${probe.problem && html`<section class="card gap"><${ErrorPanel} problem=${probe.problem} /></section>`}
    <div class=${`row1 ${isDeep(data.plan) || !base.clients.length ? "deep" : ""}`}>
      <${Plan} screen=${data.screen} plan=${data.plan} colourOf=${colourOf} broken=${broken} explain=${data.explain} />
      ${base.clients.length > 0 && html`<${Card} title="If a service fails" end=${hint}>
        <${Matrix} data=${data} base=${base} probe=${probe} breakThese=${breakThese} computeMatrix=${computeMatrix} /><//>`}
    </div>
    <${Clients} data=${data} base=${base} viewer=${viewer} colourOf=${colourOf} />`;
}

/** Whether a plan is too wide to stand beside the matrix. */
function isDeep(plan) {
  return plan.some(({ column }) => column >= 3);
}

/** What is broken in this page only, and how to end it. */
function Experiment({ broken, breakThese }) {
  const words = broken.length === 1 ? `${broken[0]} fails` : `${broken.join(", ")} fail`;
  return html`<div class="experiment" role="status"><${Badge} state="fallback" word="trial" />
    <span>In this page <b>${words}</b>: the screen was requested again without caches. Clients are not affected.</span>
    <button type="button" class="btn" onClick=${() => breakThese([])}>End the trial <kbd>esc</kbd></button></div>`;
}
