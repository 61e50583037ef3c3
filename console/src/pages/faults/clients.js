// A screen as each client gets it now: bytes, time, and what it lacks.
import { useRef } from "preact/hooks";
import { Sparkline } from "../../components/charts.js";
import { Icon } from "../../components/icons.js";
import { PartStatus } from "../../components/part-status.js";
import { Badge, Dot } from "../../components/state.js";
import { bytes, duration } from "../../format.js";
import { html } from "../../html.js";
import { ageAndReason } from "../../reasons.js";
import { hrefOf } from "../../router.js";
import { clientOf } from "../screens/clients.js";

const REMEMBERED = 30; // looks

/** How long the last responses of each client took. */
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
  courses.set(client.gateway, [...(courses.get(client.gateway) ?? []), client.took ?? null].slice(-REMEMBERED));
}

export function Clients({ data }) {
  const { screen, clients } = data;
  const courses = useCourses(clients);
  const shown = [...clients].reverse().find((client) => client.part_status && client.state !== "complete") ?? clients.find((client) => client.part_status);
  return html`<aside class="card" aria-label="Screens now"><header><h2>${screen || "Screens"} now, without cached replies</h2><span class="end">every 1 s</span></header>
    ${clients.map((client) => html`<${Client} key=${client.gateway} client=${client} course=${courses.get(client.gateway) ?? []} />`)}
    ${!clients.length && html`<p class="sc muted">No gateway serves a screen yet. They appear here when one answers.</p>`}
    ${shown && html`<section class="sc last"><h3>Header that the client receives<span class="grow"></span><a href=${requestsOf(shown)}>Its requests</a></h3>
      <p class="muted">${clientOf(shown).title}, <code>${shown.route}</code></p>
      <pre tabindex="0" role="region" aria-label="Part-Status"><${PartStatus} header=${shown.part_status} /></pre></section>`}
  </aside>`;
}

/** The requests that clients sent for this screen themselves; those of this page are not among them. */
function requestsOf({ gateway, route }) {
  return hrefOf("requests", { query: { gateway, ...(route.includes(" ") ? { route } : {}) } });
}

function Client({ client, course }) {
  const { title, icon } = clientOf(client);
  const hasFailed = client.state === "failed" || client.status >= 400;
  const state = client.state ?? "unknown";
  return html`<section class="sc"><h3><${Icon} name=${icon} size=${17} />${title}<code>${client.route.replace(/^[A-Z]+ /, "")}</code><span class="grow"></span><${Badge} state=${state} word=${state === "unknown" ? "no answer" : state} detail=${hasFailed && client.status >= 400 ? client.status : ""} /></h3>
    <div class="nums"><p><b>${bytes(client.size)}</b><span>${sizeNote(client)}</span></p>
      <p><b>${duration(client.p95)}</b><span>p95, last 10 s</span></p><${Sparkline} values=${course} width=${104} height=${30} isFilled /></div>
    ${client.note && html`<p class="ink2 noted">${client.note}</p>`}<${Parts} parts=${client.parts} /></section>`;
}

function sizeNote({ state, size, complete_size: complete }) {
  if (complete !== null && complete !== undefined && complete !== size) return `was ${bytes(complete)}`;
  return state === "complete" ? "complete" : "response";
}

function Parts({ parts }) {
  const shown = parts.filter((part) => part.state);
  const well = shown.filter((part) => part.state === "ok").map((part) => part.part);
  return html`<ul>${shown.filter((part) => part.state !== "ok").map((part) => html`<li key=${part.part}><${Dot} state=${part.state} /><b>${part.part}</b><span>${ageAndReason(part) || part.state}</span></li>`)}
    ${well.length > 0 && html`<li class="okp"><${Dot} state="ok" /><span class="oks">${well.join(", ")}</span></li>`}</ul>`;
}
