// The processes of gateways that call a service, as choices. No drawing.

/**
 * Options [pid, text] for a list: first the process that a page shows by itself, as `""`.
 *
 * Each says that it is one of several; the layers are those of one process, the table is about all.
 */
export function processOptions({ gateway, pid, layers, processes }) {
  const amount = processes.length;
  if (amount < 2) return [["", gateway || "all processes"]];
  const rank = layers.some(({ state }) => state !== "ok") ? "worst" : "busiest";
  const first = ["", `${gateway}, process ${pid}: ${rank} of ${amount}`];
  return [first, ...processes.map((one, index) => [`${one.gateway} ${one.pid}`, `${one.gateway}, process ${one.pid}: ${index + 1} of ${amount}`])];
}
