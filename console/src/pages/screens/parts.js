// Parts of a screen: the chain that the answer waits for, and the services that they need.

/** The names of the parts, first to last, that take longest one after another (by p95). */
export function criticalPath(plan) {
  const nodes = new Map(plan.map((node) => [node.part, node]));
  const chains = new Map();
  const chainTo = (name) => {
    if (chains.has(name)) return chains.get(name);
    chains.set(name, { seconds: 0, parts: [] }); // a circle ends here
    const node = nodes.get(name);
    const before = node.awaits.filter((one) => nodes.has(one)).map(chainTo).reduce(longer, { seconds: 0, parts: [] });
    const found = { seconds: before.seconds + (node.p95 ?? 0), parts: [...before.parts, name] };
    chains.set(name, found);
    return found;
  };
  return plan.map(({ part }) => chainTo(part)).reduce(longer, { seconds: 0, parts: [] }).parts;
}

function longer(one, other) {
  return other.seconds > one.seconds ? other : one;
}

/** The services of a plan in its order, each with the parts that need it. */
export function servicesOf(plan) {
  const found = new Map();
  for (const { part, upstreams } of plan) for (const name of upstreams) found.set(name, [...(found.get(name) ?? []), part]);
  return [...found].map(([upstream, parts]) => ({ upstream, parts, cells: [] }));
}
