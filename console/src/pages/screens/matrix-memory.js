// The failure matrices that were computed: while the console is open, until faults or code change.

const MOST = 50; // screens, each for a viewer

/** Rows of matrices by `key`, which names a screen, its viewer and its inputs. */
export class MatrixMemory {
  #found = new Map();
  #faults = null;
  #workers = null;

  /** Takes a ScreenDetail with its matrix. */
  add(key, { clients, matrix }) {
    this.#put(key, { routes: routesOf(clients), isWhole: true, rows: matrix });
  }

  /** Takes the ScreenDetail `broken` while the service `upstream` alone fails; `usual` is without. */
  addRow(key, upstream, usual, broken) {
    const routes = routesOf(usual.clients);
    const known = this.#found.get(key);
    if (routes !== routesOf(broken.clients) || (known?.isWhole && known.routes === routes)) return;
    const parts = usual.plan.filter(({ upstreams }) => upstreams.includes(upstream)).map(({ part }) => part);
    const cells = broken.clients.map(({ gateway, route, status, size, state }, index) => ({ gateway, route, status, size, state, is_used: needs(usual.clients[index], parts) }));
    const others = known?.routes === routes ? known.rows.filter((row) => row.upstream !== upstream) : [];
    this.#put(key, { routes, isWhole: false, rows: [...others, { upstream, parts, cells }] });
  }

  /** A ScreenDetail with what is known of its matrix, for the same clients. */
  complete(key, data) {
    const known = this.#found.get(key);
    if (data.has_matrix || known?.routes !== routesOf(data.clients)) return data;
    return { ...data, has_matrix: known.isWhole, matrix: known.rows };
  }

  /** Drops everything if news say that faults or code have changed, and returns whether they do. */
  read({ faults, overview }) {
    const [set, workers] = [faults && faultsOf(faults), overview && workersOf(overview)];
    const isOther = (set && this.#faults !== null && set !== this.#faults) || (workers && this.#workers !== null && workers.some((one) => !this.#workers.has(one)));
    this.#faults = set || this.#faults;
    if (workers) this.#workers = new Set([...(this.#workers ?? []), ...workers]);
    if (isOther) this.#found.clear();
    return Boolean(isOther);
  }

  #put(key, entry) {
    this.#found.delete(key);
    this.#found.set(key, entry);
    if (this.#found.size > MOST) this.#found.delete(this.#found.keys().next().value);
  }
}

function routesOf(clients) {
  return clients.map(({ gateway, route }) => `${gateway} ${route}`).join();
}

/** Whether a client requests one of the parts; one whose parts are not known may. */
function needs(client, parts) {
  return !client.parts.length || client.parts.some(({ part, outline }) => outline && parts.includes(part));
}

/** What is set, without the counts of calls. */
function faultsOf(cards) {
  return JSON.stringify(cards.map(({ hits, calls, since, ...set }) => set));
}

/** A process that starts again, as after a change of the code, is another one. */
function workersOf({ installation }) {
  return installation.gateways.flatMap(({ name, workers = [] }) => workers.map(({ pid, started }) => `${name} ${pid} ${started}`));
}
