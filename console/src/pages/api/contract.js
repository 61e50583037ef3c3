// The contract of a gateway: its OpenAPI document, or its GraphQL schema as text.
import { useEffect, useState } from "preact/hooks";
import { get, getText } from "../../api.js";
import { isAnswering } from "./answering.js";

/** Loads `openapi.json` (parsed) or `schema.graphql` (text), like useResource; while the gateway does not answer, what was loaded stays. */
export function useContract(gateway, name) {
  const [state, change] = useState({ data: null, problem: null });
  const reload = async () => {
    change((now) => ({ ...now, problem: null }));
    try {
      const load = name.endsWith(".json") ? get : getText;
      change({ data: await load(`gateways/${encodeURIComponent(gateway.name)}/${name}`), problem: null });
    } catch (problem) {
      change({ data: null, problem });
    }
  };
  const isThere = isAnswering(gateway);
  useEffect(() => void (isThere && reload()), [gateway.name, name, isThere]);
  return { ...state, reload };
}
