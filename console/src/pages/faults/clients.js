// A screen as each client gets it now: bytes, time, and what it lacks.
import { useEffect, useRef } from "preact/hooks";
import { Sparkline } from "../../components/charts.js";
import { Icon } from "../../components/icons.js";
import { Badge, Dot } from "../../components/state.js";
import { bytes, duration } from "../../format.js";
import { html } from "../../html.js";
import { hrefOf } from "../../router.js";
import { clientOf } from "../screens/clients.js";

const REMEMBERED = 30; // looks

/** The newest p95 of each client, and the size of its last complete response. */
function useCourses(clients) {
  const courses = useRef(new Map());
  const last = useRef(null);
  if (last.current !== clients) {
    last.current = clients;
    for (const client of clients) remember(courses.current, client);
  }
  return courses.current;
}

function remember(courses, client) {
  const known = courses.get(client.gateway) ?? { p95: [], complete: null };
  known.p95 = [...known.p95, client.p95].slice(-REMEMBERED);
  known.complete = client.complete_size ?? (client.state === "complete" ? client.size : known.complete);
  courses.set(client.gateway, known);
}

export function Clients({ data }) {
  const { screen, clients } = data;
  const courses = useCourses(clients);
  const worst = [...clients].reverse().find((client) => client.part_status && client.state !== "complete") ?? clients.find((client) => client.part_status);
  return html`<aside class="card side" aria-label="Screens now"><header><h2>${screen || "Screens"}, as clients get it now</h2><span class="end">every 1 s</span></header>
    ${clients.map((client) => html`<${Client} key=${client.gateway} client=${client} known=${courses.get(client.gateway)} />`)}
    ${!clients.length && html`<p class="sc muted">No gateway serves a screen yet. They appear here when one answers.</p>`}
    ${worst && html`<section class="sc last"><h3>Header that the client receives<span class="grow"></span>${worst.request_id && html`<a href=${hrefOf("requests", { subject: worst.request_id })}>Open the request</a>`}</h3>
      <pre tabindex="0" role="region" aria-label="Part-Status">${statusLines(worst.part_status)}</pre></section>`}
  </aside>`;
}

function Client({ client, known }) {
  const { title, icon } = clientOf(client);
  const hasFailed = client.state === "failed" || client.status >= 400;
  const state = client.state ?? "unknown";
  return html`<section class="sc"><h3><${Icon} name=${icon} size=${17} />${title}<code>${client.route.replace(/^[A-Z]+ /, "")}</code><span class="grow"></span><${Badge} state=${state} word=${state === "unknown" ? "no answer" : state} detail=${hasFailed && client.status >= 400 ? client.status : ""} /></h3>
    <div class="nums"><p><b>${bytes(client.size)}</b><span>${known.complete !== null && known.complete !== client.size ? `was ${bytes(known.complete)}` : "complete"}</span></p>
      <p><b>${duration(client.p95)}</b><span>p95, last 10 s</span></p><${Sparkline} values=${known.p95.length > 1 ? known.p95 : [client.p95, client.p95]} width=${104} height=${30} isFilled /></div>
    ${client.note && html`<p class="ink2 noted">${client.note}</p>`}<${Parts} parts=${client.parts} /></section>`;
}

function Parts({ parts }) {
  const shown = parts.filter((part) => part.state);
  const well = shown.filter((part) => part.state === "ok").map((part) => part.part);
  return html`<ul>${shown.filter((part) => part.state !== "ok").map((part) => html`<li key=${part.part}><${Dot} state=${part.state} /><b>${part.part}</b><span>${whyOf(part)}</span></li>`)}
    ${well.length > 0 && html`<li class="okp"><${Dot} state="ok" /><span class="oks">${well.join(", ")}</span></li>`}</ul>`;
}

function whyOf({ state, reason, age }) {
  const facts = [age !== null && age !== undefined ? `${Math.round(age)} s old` : "", reason.replaceAll("_", " ")].filter(Boolean);
  return facts.join(", ") || state;
}

/** The header's members; those that are not ok stand out. */
function statusLines(header) {
  const members = header.split(/,\s*/);
  return ["Part-Status: ", ...members.flatMap((member, index) => [/=ok$/.test(member) ? member : html`<b>${member}</b>`, index < members.length - 1 ? ", " : ""])];
}
