// The stream of news. Messages are collected, and handed over once per frame while someone looks.
import { signal } from "@preact/signals";
import { API } from "./api.js";
import { page, PAGES } from "./router.js";

const MOST_ROWS = 2000; // of one kind, between two frames
const FIRST_RETRY = 1;
const LAST_RETRY = 15;

/** "live", "paused" or "off". */
export const status = signal("live");

/** When the stream broke (Unix seconds), and in how many seconds it is tried again. */
export const brokenSince = signal(0);
export const retryIn = signal(0);

/** The newest Overview and Installation, for the shell and for pages. */
export const overview = signal(null);
export const installation = signal(null);

/** The PAGES that work here, as [name, about]; all while it is not known. */
export function offeredPages() {
  const isRun = (installation.value?.processes.length ?? 1) > 0;
  return Object.entries(PAGES).filter(([, { runOnly }]) => isRun || !runOnly);
}

/** Requests that failed since Requests was open, for its badge. */
export const newFailures = signal(0);

const readers = new Set();
let source = null;
let waiting = null;
let isFrameRequested = false;
let pause = FIRST_RETRY;
let timer = 0;
let hasBegun = false;

/** Calls `reader` with {requests, logs, events, faults, dropped}, at most once per frame; returns what ends it. */
export function onNews(reader) {
  readers.add(reader);
  return () => readers.delete(reader);
}

export function togglePause() {
  if (status.value === "off") return;
  status.value = status.value === "paused" ? "live" : "paused";
  if (status.value === "live") plan();
}

function empty() {
  return { overview: null, requests: [], logs: [], events: [], faults: null, dropped: 0 };
}

function collect(message) {
  waiting ??= empty();
  waiting.overview = message.overview ?? waiting.overview;
  waiting.faults = message.faults ?? waiting.faults;
  waiting.dropped += message.rows_dropped ?? 0;
  for (const kind of ["requests", "logs", "events"]) add(kind, message[kind] ?? []);
  plan();
}

function add(kind, rows) {
  const all = waiting[kind];
  for (const row of rows) all.push(row);
  const excess = all.length - MOST_ROWS;
  if (excess <= 0) return;
  all.splice(0, excess);
  if (kind === "requests") waiting.dropped += excess;
}

function plan() {
  if (isFrameRequested || !waiting || status.value === "paused") return;
  isFrameRequested = true;
  requestAnimationFrame(hand); // a hidden page gets no frames: it draws nothing
}

function hand() {
  isFrameRequested = false;
  if (status.value === "paused" || !waiting) return;
  const news = waiting;
  waiting = null;
  if (news.overview) setOverview(news.overview);
  const failures = news.requests.filter(({ state }) => state === "failed").length;
  if (page.value === "requests" || !hasBegun) newFailures.value = 0; // the first message has what was before
  else if (failures) newFailures.value += failures;
  hasBegun = true;
  for (const reader of readers) reader(news);
}

export function setOverview(next) {
  overview.value = next;
  const { can_sign_out = false } = installation.value ?? {}; // the stream is the same for all browsers
  installation.value = { ...next.installation, can_sign_out };
}

export function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(`${API}/live`);
  source.onopen = () => {
    pause = FIRST_RETRY;
    brokenSince.value = 0;
    if (status.value === "off") status.value = "live";
  };
  source.onmessage = (event) => collect(JSON.parse(event.data));
  source.onerror = broken;
}

function broken() {
  source.close();
  status.value = "off";
  brokenSince.value ||= Date.now() / 1000;
  count(pause);
  pause = Math.min(pause * 2, LAST_RETRY);
}

function count(seconds) {
  retryIn.value = seconds;
  clearTimeout(timer);
  timer = setTimeout(() => (seconds > 1 ? count(seconds - 1) : connect()), 1000);
}
