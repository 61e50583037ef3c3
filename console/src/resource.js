// What a page loads: stays readable while it is loaded again, and fails alone.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api.js";

/**
 * Loads `path` with the query `fields` whenever one of them changes, and each `every` seconds.
 *
 * `path` null loads nothing. Returns {data, problem, isLoading, reload, set}: `data` is the newest
 * answer, and that of the same path stays while another one is on its way; `set` replaces it.
 */
export function useResource(path, fields = {}, { every = 0 } = {}) {
  const [state, change] = useState({ path, data: null, problem: null, isLoading: true });
  const running = useRef(null);
  const key = `${path}?${JSON.stringify(fields)}`;

  const reload = () => {
    running.current?.abort();
    if (path === null) return Promise.resolve();
    const control = (running.current = new AbortController());
    change((now) => ({ ...now, path, isLoading: true, data: now.path === path ? now.data : null, problem: null }));
    return get(path, fields, { signal: control.signal }).then(
      (data) => control.signal.aborted || change({ path, data, problem: null, isLoading: false }),
      (problem) => control.signal.aborted || change((now) => ({ ...now, problem, isLoading: false })),
    );
  };

  useEffect(() => {
    reload();
    const timer = every && setInterval(() => document.hidden || reload(), every * 1000);
    return () => (clearInterval(timer), running.current?.abort());
  }, [key, every]);

  const set = (data) => change((now) => ({ ...now, data: typeof data === "function" ? data(now.data) : data }));
  return { ...state, data: state.path === path ? state.data : null, reload, set };
}
