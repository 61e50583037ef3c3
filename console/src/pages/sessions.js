// Sessions, sagas: what is stuck, then what is live.
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { Card, Headline } from "../components/card.js";
import { ShortId } from "../components/code.js";
import { Frame } from "../components/frame.js";
import { Empty, Loaded } from "../components/panels.js";
import { Badge, Shape } from "../components/state.js";
import { Table } from "../components/table.js";
import { count, duration, number, time, timeOfDay, wholePercent } from "../format.js";
import { html } from "../html.js";
import { status } from "../live-stream.js";
import { hrefOf, query, setQuery } from "../router.js";
import { useResource } from "../resource.js";

const EVERY = 3; // seconds between two looks
const ORDER = ["stuck", "undoing", "running"];
const STATES = {
  stuck: "failed", undoing: "fallback", running: "ok",
  done: "ok", failed: "failed", undone: "missing", waiting: "missing", "not-undone": "failed",
};

export function Page() {
  const page = useResource("sessions", {}, { every: status.value === "live" ? EVERY : 0 });
  return html`<${Frame} title="Sessions, sagas" class="sessions">
    <${Loaded} resource=${page} what="sessions and sagas" rows=${8}>${(data) => html`
      <${Headline} headline=${data.headline} />
      <${Sagas} sagas=${data.sagas} reload=${page.reload} />
      <div class="live2"><${Sessions} data=${data} /><${Limits} limits=${data.limits} /></div>
      ${data.notes.length > 0 && html`<ul class="notes">${data.notes.map((note) => html`<li key=${note}>${note}</li>`)}</ul>`}`}
    <//>
  <//>`;
}

function Sagas({ sagas, reload }) {
  const rows = [...sagas].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.started - other.started);
  const chosen = query.value.get("saga") ?? rows.find((saga) => saga.state !== "running")?.id ?? "";
  const saga = rows.find(({ id }) => id === chosen);
  const choose = ({ id }) => setQuery({ saga: id });
  return html`<div class="sagas ${saga ? "two" : ""}"><${Card} title="Sagas that have not ended" end=${count(rows.length, "saga")}>
      ${rows.length ? html`<${Table} caption="Sagas" columns=${sagaColumns(choose)} rows=${rows} keyOf=${({ id }) => id} chosen=${chosen} open=${choose} />`
        : html`<${Empty} title="No open sagas" text="A saga is listed from its first step until it is done or undone. Ended sagas are in the log." />`}<//>
    ${saga && html`<${Steps} key=${saga.id} saga=${saga} reload=${reload} />`}</div>`;
}

function sagaColumns(choose) {
  return [
    { title: "State", cell: (saga) => html`<${Badge} state=${STATES[saga.state]} word=${saga.state} />` },
    { title: "Saga", cell: (saga) => html`<button type="button" class="link" onClick=${() => choose(saga)}>${saga.saga}</button>` },
    { title: "Gateway", cell: ({ gateway }) => gateway },
    { title: "Step", cell: (saga) => currentStep(saga) },
    { title: "Why", class: "why", cell: ({ reason }) => html`<span title=${reason}>${reason}</span>` },
    { title: "started", isNumber: true, cell: ({ started }) => time(started) },
    { title: "next try", isNumber: true, cell: ({ next_try: next }) => (next === null ? "–" : inWords(next)) },
  ];
}

const OPEN = ["started", "undoing", "not-undone"];

function stateInWords(state) {
  return state === "not-undone" ? "could not be undone" : state;
}

function currentStep({ steps }) {
  const done = steps.filter(({ state }) => state === "done").length;
  const isOpen = ({ state }) => OPEN.includes(state); // what a stuck saga waits for, before what failed first
  const now = steps.find(isOpen) ?? [...steps].reverse().find(({ state }) => !["done", "waiting", "undone"].includes(state));
  return html`${now?.step ?? steps.at(-1)?.step ?? "–"} <span class="muted">${done} of ${steps.length} done</span>`;
}

function inWords(instant) {
  const seconds = instant - Date.now() / 1000;
  return seconds > 0 ? `in ${duration(Math.max(10, Math.round(seconds)))}` : "now";
}

/** The steps of a saga in order, and what an operator can do. */
function Steps({ saga, reload }) {
  const [stage, go] = useState({ name: "rest", text: "" });
  const resume = async () => {
    go({ name: "running", text: "" });
    try {
      const path = `sagas/${encodeURIComponent(saga.gateway)}/${encodeURIComponent(saga.id)}/resume`;
      go({ name: "done", text: (await post(path)).text });
      await reload();
    } catch (problem) {
      go({ name: "failed", text: [problem.title, problem.detail].filter(Boolean).join(". ") });
    }
  };
  const verb = saga.state === "stuck" ? "Retry the step" : "Resume now";
  return html`<${Card} title=${`${saga.saga}: steps`} end=${`since ${timeOfDay(saga.started)}`}>
    <p class="sid">id <${ShortId} id=${saga.id} length=${64} what="saga" /></p>
    <ol class="steps">${saga.steps.map((step, index) => html`<${Step} key=${`${index} ${step.step}`} step=${step} />`)}</ol>
    <div class="resume"><p>${saga.can_resume ? "The step runs again with the same idempotency key." : "It runs: there is nothing to resume."}</p>
      <button type="button" class="btn go" disabled=${!saga.can_resume || stage.name === "running"} onClick=${resume}>
        ${stage.name === "running" ? "Running …" : verb}</button>
      <span role="status" class=${stage.name === "failed" ? "t-failed" : "t-ok"}>${stage.text}</span></div><//>`;
}

function Step({ step }) {
  const state = STATES[step.state] ?? "missing";
  const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : "";
  return html`<li class=${`is-${step.state}`}><${Shape} state=${state} size=${14} />
    <div><b>${step.step}</b><span class=${state === "failed" ? "t-failed" : "muted"}>${stateInWords(step.state)}${attempts}</span>
      ${step.error && html`<p>${step.error}</p>`}</div></li>`;
}

const SESSION_COLUMNS = [
  { title: "Session", cell: ({ id }) => html`<${ShortId} id=${id} what="session" />` },
  { title: "Viewer", cell: ({ viewer }) => html`<a href=${hrefOf("requests", { query: { text: viewer } })} title="Their requests"><code>${viewer}</code></a>` },
  { title: "Gateway", cell: ({ gateway }) => gateway || "–" },
  { title: "began", isNumber: true, cell: ({ began }) => time(began) },
  { title: "expires", isNumber: true, cell: ({ expires }) => time(expires) },
];

function totalOf({ session_count: total, sessions }) {
  if (total === null) return "";
  return total > sessions.length ? `newest ${sessions.length} of ${number(total)}` : count(total, "session");
}

function Sessions({ data }) {
  return html`<${Card} title="Sessions" note="hashes, never tokens" end=${totalOf(data)}>
    ${data.sessions.length ? html`<${Table} caption="Sessions" columns=${SESSION_COLUMNS} rows=${data.sessions} keyOf=${({ id }) => id} class="limited" />`
      : html`<${Empty} title="No sessions to list" text="A session begins when somebody signs in with a browser. Clients that send tokens have none." />`}<//>`;
}

const LIMIT_COLUMNS = [
  { title: "Limit", cell: ({ limit }) => limit },
  { title: "Gateway", cell: ({ gateway }) => gateway },
  { title: "Caller", cell: ({ key }) => html`<code>${key}</code>` },
  { title: "left", isNumber: true, cell: ({ left }) => html`<span class=${left < 0.05 ? "b" : ""}>${wholePercent(left)}</span>` },
  { title: "resets", isNumber: true, cell: ({ resets }) => (resets === null ? "–" : inWords(resets)) },
];

function Limits({ limits }) {
  const keyOf = ({ gateway, limit, key }) => `${gateway} ${limit} ${key}`;
  return html`<${Card} title="Limits nearly used up" end="below 20 % left">
    ${limits.length ? html`<${Table} caption="Limits" columns=${LIMIT_COLUMNS} rows=${limits} keyOf=${keyOf} class="limited" />`
      : html`<${Empty} title="No caller is near a limit" text="Callers that have used most of a rate limit are listed here." />`}<//>`;
}
