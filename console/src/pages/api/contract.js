// The contract of a gateway: its OpenAPI document, or its GraphQL schema as text.
import { useEffect, useState } from "preact/hooks";
import { API, Problem } from "../../api.js";
import { isAnswering } from "./answering.js";

/** Loads `openapi.json` (parsed) or `schema.graphql` (text), like useResource; while the gateway does not answer, what was loaded stays. */
export function useContract(gateway, name) {
  const [state, change] = useState({ data: null, problem: null });
  const reload = async () => {
    change((now) => ({ ...now, problem: null }));
    try {
      change({ data: await load(gateway.name, name), problem: null });
    } catch (problem) {
      change({ data: null, problem });
    }
  };
  const isThere = isAnswering(gateway);
  useEffect(() => void (isThere && reload()), [gateway.name, name, isThere]);
  return { ...state, reload };
}

async function load(gateway, name) {
  const answer = await fetch(`${API}/gateways/${encodeURIComponent(gateway)}/${name}`).catch(() => null);
  if (!answer) throw new Problem("The console does not answer", "Look at the terminal that runs it.");
  const text = await answer.text();
  if (answer.ok) return name.endsWith(".json") ? JSON.parse(text) : text;
  try {
    const { title, detail } = JSON.parse(text);
    throw new Problem(title, detail ?? "", answer.status);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(`The gateway answered ${answer.status}`, "Is it running? Start it, then retry.", answer.status);
  }
}
