// The start page: one home screen as three clients get it, and the services behind them.
import { loadConfig, ROOT } from "../shared/config.js";
import { el, icon, replace } from "../shared/dom.js";
import { loadViewer, onViewerChange } from "../shared/viewer.js";
import { drawCaption } from "./captions.js";
import { roundOf, startFrames } from "./frames.js";
import { account, showPeople, welcome } from "./people.js";
import { followServices, listServices } from "./services.js";
import { story } from "./story.js";

const at = (id) => document.getElementById(id);

const CLIENTS = {
  phone: { title: "Phone", icon: "mobile", href: `${ROOT}/phone/` },
  web: { title: "Web page", icon: "web", href: `${ROOT}/store/` },
  office: { title: "Back office", icon: "desktop", href: `${ROOT}/office/` },
};
const figures = Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, at(name)]));
const facts = { phone: null, web: null, office: null };
const requestsLink = el("a", { id: "requests" }, "These 3 requests");

const PATIENCE_MS = 2_500; // until the sentence does without a client that does not answer

let services = [];
let changedAt = Date.now();
let isLost = false;
let trouble = "";
let isSignedIn = false;
let followPeople = () => {};

function drawStory() {
  const nothing = { state: "waiting", text: "" };
  const { state, text } = isSignedIn ? story({ services, facts, changedAt, isOverdue: Date.now() - changedAt > PATIENCE_MS }) : nothing;
  const said = [trouble, text, isSignedIn && isLost && lostWords()].filter(Boolean).join(" ");
  if (!said && isSignedIn) return; // the sentence before stays until there is a new one
  if (at("story").textContent === said) return;
  const shape = trouble ? "failed" : state;
  at("story").className = `story is-${shape}`;
  replace(at("story"), said ? [icon(shape, { size: 12 }), el("span", {}, said)] : []);
}

function lostWords() {
  return `${navigator.onLine === false ? "This device is offline" : "The console does not answer"}, so the states of services may be old.`;
}

/** Says what could not be done with a service, until one changes or the network is back. */
function sayTrouble(sentence) {
  trouble = sentence;
  drawStory();
}

function drawCaptionOf(name) {
  drawCaption(figures[name].querySelector("figcaption"), CLIENTS[name], facts[name]);
}

function received(name, news) {
  facts[name] = news;
  drawClock();
  drawCaptionOf(name);
  drawStory();
}

function drawClock() {
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date());
  for (const clock of document.querySelectorAll(".clock")) clock.textContent = time;
}

function isSettled() {
  const isRunning = services.every(({ state }) => state === "running");
  return !isRunning || Object.values(facts).every((one) => one?.state === "complete");
}

function drawLinks(viewer, config) {
  const console = config.console && el("a", { href: `${config.console}/console`, target: "_blank" }, "Console");
  replace(at("links"), console, config.console && requestsLink, account(viewer));
  requestsLink.target = "_blank";
  requestsLink.href = `${config.console}/console/requests?screens=1`;
  requestsLink.addEventListener("click", () => {
    const newest = facts.web?.requestId ?? "";
    const query = new URLSearchParams({ screens: "1", text: roundOf(facts.web) });
    requestsLink.href = `${config.console}/console/requests/${newest}?${query}`;
  });
}

function showServices(config, frames) {
  const names = config.services;
  if (!config.console) {
    listServices({ list: at("services"), names });
    at("services-label").replaceChildren("Services behind", el("br"), "the screens");
    at("how").hidden = false;
    return;
  }
  followServices({
    list: at("services"),
    origin: config.console,
    names,
    changed(news) {
      const isFirst = services.length === 0;
      services = news;
      trouble = "";
      followPeople(services);
      if (!isFirst) changedAt = Date.now();
      drawStory();
      setTimeout(drawStory, PATIENCE_MS + 100);
      if (!isFirst) frames.follow();
    },
    failed: sayTrouble,
    lost(isNow) {
      if (isNow === isLost) return;
      isLost = isNow;
      drawStory();
    },
  });
}

async function start() {
  for (const name of Object.keys(CLIENTS)) drawCaptionOf(name);
  for (const address of document.querySelectorAll(".address")) address.textContent = `${location.host}${ROOT}/store/`;
  drawClock();
  const config = await loadConfig();
  const viewer = await loadViewer();
  if (await welcome(viewer, config)) return;
  isSignedIn = viewer.customer !== null;
  drawLinks(viewer, config);
  const frames = startFrames({ figures, received, isSettled });
  showServices(config, frames);
  document.body.classList.toggle("is-signed-out", !isSignedIn);
  for (const frame of document.querySelectorAll("iframe")) frame.inert = !isSignedIn;
  if (!isSignedIn) followPeople = showPeople(at("people"), viewer, config);
  frames.load();
  addEventListener("online", () => sayTrouble(""));
  onViewerChange(() => location.reload());
}

start().catch((error) => {
  at("story").className = "story is-failed";
  replace(at("story"), icon("failed", { size: 12 }), el("span", {}, `This page could not start: ${error.message}`));
});
