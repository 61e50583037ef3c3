// The three clients in frames: what they received, and when they load their screens again.

const CALM_MS = 10_000;
const EAGER_MS = 1_500;
const EAGER_TIMES = 12;
const WRITE_MS = 100; // several changes at once are one

/**
 * Starts the frames of `figures` ({phone: figure, …}) and follows them: `received(name, facts)` is called with
 * what each of them loads. Returns {load, refresh, follow, leave}.
 *
 * While the page is visible, all frames load again every 10 s; after a change (`follow`) more often until
 * `isSettled()`, since a circuit breaker lets calls through again only after some seconds. What one frame
 * changed, such as the cart, the others load at once.
 */
export function startFrames({ figures, received, isSettled }) {
  const session = Math.random().toString(36).slice(2, 8);
  const frames = new Map(Object.entries(figures).map(([name, figure]) => [name, figure.querySelector("iframe")]));
  let round = 0;
  let eager = 0;
  let timer = 0;
  let writeTimer = 0;
  let isLoaded = false;

  function load() {
    for (const frame of frames.values()) {
      frame.name = `${session}-0`;
      frame.src = frame.dataset.src;
    }
    isLoaded = true;
    plan();
  }

  function refresh(reason, { except = null } = {}) {
    if (!isLoaded) return;
    round += 1;
    const message = { type: "shop.refresh", reason, round: `${session}-${round}` };
    for (const [name, { contentWindow }] of frames) if (name !== except) contentWindow?.postMessage(message, location.origin);
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    timer = setTimeout(tick, eager > 0 ? EAGER_MS : CALM_MS);
  }

  function tick() {
    if (eager > 0) eager = isSettled() ? 0 : eager - 1;
    refresh("timer");
  }

  function follow() {
    eager = EAGER_TIMES;
    refresh("services");
  }

  // Who wrote has the answer already; if two frames did, both load again.
  let writer = null;
  function wrote(name) {
    writer = writeTimer && writer !== name ? null : name;
    clearTimeout(writeTimer);
    writeTimer = setTimeout(() => {
      writeTimer = 0;
      refresh("write", { except: writer });
    }, WRITE_MS);
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (origin !== location.origin) return;
    const [name] = [...frames].find(([, frame]) => frame.contentWindow === source) ?? [];
    if (name && data?.type === "shop.facts") received(name, data.facts);
    if (name && data?.type === "shop.wrote") wrote(name);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh("visible");
    else clearTimeout(timer);
  });
  addEventListener("online", () => refresh("online"));

  return { load, refresh, follow };
}

/** Returns what the ids of the newest round begin with, for the list of requests in the console. */
export function roundOf(facts) {
  const found = /^([a-z0-9]+-\d+-)/.exec(facts?.requestId ?? "");
  return found ? found[1] : "";
}
