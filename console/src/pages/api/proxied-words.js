// What the table of proxied routes says: no drawing.

/** "GET PUT /v1/suppliers/{id}"; no methods are all of them. */
export function matchOf({ methods, path }) {
  return `${methods.join(" ") || "any"} ${path}`;
}

/** The share of an upstream beside its name; empty for one that gets all requests. */
export function shareOf({ kind, percent, by }) {
  if (kind === "mirror") return `mirror, ${percent} %`;
  if (kind === "canary") return `${percent} % by ${by}`;
  return percent === 100 ? "" : `${percent} %`;
}

/** "in Python" for a route without a file; a long path is shown by its end. */
export function placeOf({ place }) {
  const parts = place.split("/");
  return place ? parts.slice(-3).join("/") : "in Python";
}

/** The routes that have a text in their id, match, upstream, access or place, in any case. */
export function found(routes, text) {
  const wanted = text.trim().toLowerCase();
  const words = (one) => [one.id, matchOf(one), ...one.conditions, ...one.targets.map(({ upstream }) => upstream), one.files, one.access, one.place];
  return routes.filter((one) => words(one).join(" ").toLowerCase().includes(wanted));
}
