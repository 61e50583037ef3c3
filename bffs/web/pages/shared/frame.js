// A page in a frame of the start page: it reports what it received, and refreshes when it is to.

/** Whether this page is a frame of another page of this shop. */
export const isFramed = globalThis.parent !== globalThis.self && isSameSite();

function isSameSite() {
  try {
    return parent.location.origin === location.origin;
  } catch {
    return false;
  }
}

// The start page names each refresh, so that the console finds the requests of one; the first name is the window's.
let round = globalThis.name ?? "";
let number = 0;

/** Returns the request id of the next read in a frame ("k3f9-12-phone"); empty for a page of its own. */
export function nextRequestId(client) {
  if (!isFramed || !/^[a-z0-9]+-\d+$/.test(round)) return "";
  number += 1;
  return number === 1 ? `${round}-${client}` : `${round}-${client}-${number}`;
}

/** Sends the facts of an exchange to the start page. */
export function report(facts) {
  if (isFramed) parent.postMessage({ type: "shop.facts", facts }, location.origin);
}

/** Reports to the start page that something was changed, so that the other frames load it at once. */
export function reportWrite() {
  if (isFramed) parent.postMessage({ type: "shop.wrote" }, location.origin);
}

/** Calls `refresh(reason)` when the start page wants the screen to be loaded again. */
export function onRefresh(refresh) {
  if (!isFramed) return;
  addEventListener("message", ({ source, origin, data }) => {
    if (source === parent && origin === location.origin && data?.type === "shop.refresh") {
      [round, number] = [data.round, 0];
      refresh(data.reason);
    }
  });
  parent.postMessage({ type: "shop.ready" }, location.origin);
}
