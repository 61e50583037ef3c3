// The console: reads the snapshot in the document, starts the stream, shows the page of the address.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "@preact/signals";
import { get } from "./api.js";
import { Frame, Nav } from "./components/frame.js";
import { Sprite } from "./components/icons.js";
import { KeyList } from "./components/key-list.js";
import { Empty, ErrorPanel, Loading, NO_SCRIPT } from "./components/panels.js";
import { html } from "./html.js";
import { startKeys } from "./keys.js";
import { connect, installation, offeredPages, setOverview } from "./live-stream.js";
import { hrefOf, page, PAGES, startRouter } from "./router.js";
import "./settings.js";

const LOADERS = {
  overview: () => import("./pages/overview.js"),
  requests: () => import("./pages/requests.js"),
  screens: () => import("./pages/screens.js"),
  upstreams: () => import("./pages/upstreams.js"),
  faults: () => import("./pages/faults.js"),
  api: () => import("./pages/api.js"),
  logs: () => import("./pages/logs.js"),
  sessions: () => import("./pages/sessions.js"),
};

const styles = new Map();

/** Loads the style of a page once, from beside this script. */
function styleOf(name) {
  if (!styles.has(name)) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL(`./${name}.css`, import.meta.url);
    styles.set(name, new Promise((done) => (link.onload = link.onerror = done)));
    document.head.append(link);
  }
  return styles.get(name);
}

function App() {
  const [shown, show] = useState(null);
  const name = page.value;
  const load = () => {
    if (!(name in LOADERS)) return show({ name, Page: NotFound });
    return Promise.all([LOADERS[name](), styleOf(name)]).then(
      ([{ Page }]) => page.value === name && show({ name, Page }),
      (problem) => show({ name, problem }),
    );
  };
  useEffect(() => void load(), [name]);
  return html`<a class="skip" href="#main">Skip to content</a><${Sprite} /><${Nav} />${content(shown, load)}<${KeyList} />`;
}

function content(shown, load) {
  const title = PAGES[shown?.name ?? page.value]?.title ?? "Console";
  if (!shown) return html`<${Frame} title=${title}><${Loading} what=${title} /><//>`;
  if (shown.problem) return html`<${Frame} title=${title}><${ErrorPanel} problem=${NO_SCRIPT} what=${`the page ${title}`} retry=${load} /><//>`;
  return html`<${shown.Page} key=${shown.name} />`;
}

function NotFound() {
  const links = offeredPages().map(([name, { title }]) => html`<li key=${name}><a href=${hrefOf(name)}>${title}</a></li>`);
  return html`<${Frame} title="No such page"><section class="card">
    <${Empty} title=${`There is no page ${location.pathname}`} text="The console has these pages:"><ul class="pages">${links}</ul><//>
  </section><//>`;
}

function snapshot() {
  const element = document.getElementById("snapshot");
  const found = element ? JSON.parse(element.textContent) : {};
  if (found.overview) setOverview(found.overview);
  if (found.installation) installation.value = found.installation;
}

snapshot();
startRouter();
startKeys();
if (!installation.value) get("installation").then((found) => (installation.value = found), () => undefined);
render(html`<${App} />`, document.getElementById("app"));
connect();
