// Values for the parameters of a path, from the newest request that the console has recorded.
import { useEffect } from "preact/hooks";
import { get } from "../../api.js";
import { valuesIn } from "./document.js";

async function newestValues(gateway, { path }) {
  const { rows } = await get("requests", { gateway, route: path, limit: 20 });
  const row = rows.find(({ status }) => status < 400);
  return row && valuesIn(path, (await get(`requests/${encodeURIComponent(row.id)}`)).path.split("?")[0]);
}

/** Fills path parameters that have no example with those of the newest request for the path. */
export function useRecordedValues(gateway, operation, values, change) {
  useEffect(() => {
    const isOpen = operation.parameters.some((one) => one.in === "path" && !values[one.name]);
    if (isOpen) newestValues(gateway, operation).then((found) => found && change((now) => ({ ...found, ...filled(now) })), () => undefined);
  }, []);
}

function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}
