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

/** Sends the facts of an exchange to the start page. */
export function report(facts) {
  if (isFramed) parent.postMessage({ type: "shop.facts", facts }, location.origin);
}

/** Calls `refresh(reason)` when the start page wants the screen to be loaded again. */
export function onRefresh(refresh) {
  if (!isFramed) return;
  addEventListener("message", ({ source, origin, data }) => {
    if (source === parent && origin === location.origin && data?.type === "shop.refresh") refresh(data.reason);
  });
  parent.postMessage({ type: "shop.ready" }, location.origin);
}
