// A client of the mobile gateway with the types that openapi-typescript makes: it has to compile.
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./mobile";

type Problem = components["schemas"]["Problem"];
type Line = operations["get_home"]["responses"]["200"]["content"]["application/x-ndjson"];
type Row = import("./desktop").operations["export_orders"]["responses"]["200"]["content"]["application/x-ndjson"];

const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: "https://api.shop.example" });

function explain(problem: Problem): string {
  const faults = (problem.errors ?? []).map((one) => `${one.in}${one.pointer}: ${one.detail}`);
  return [problem.code, problem.detail ?? problem.title, ...faults].join("\n");
}

export async function showHome(token: string): Promise<string[]> {
  const { data, error, response } = await client.GET("/v1/home", {
    params: { query: { _meta: "parts" } },
    headers: { authorization: `Bearer ${token}` },
  });
  if (error) throw new Error(explain(error));
  const missing = Object.entries(data._meta?.parts ?? {}).filter(([, part]) => part.status !== "ok");
  return [data.name, response.headers.get("ratelimit") ?? "", ...missing.map(([name]) => name)];
}

export async function putItem(sku: string, quantity: number): Promise<number> {
  const { data, error } = await client.PUT("/v1/cart/items/{sku}", {
    params: { path: { sku }, header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { quantity },
  });
  if (error) throw new Error(explain(error));
  return data.count;
}

export function show(line: Line): string {
  if ("answer" in line) return line.answer.name;
  if ("problem" in line) return explain(line.problem);
  return `${line.part}: ${line.status}`;
}

export const sum = (rows: Row[]): number => rows.reduce((total, row) => total + row.total, 0);

// @ts-expect-error: a body of another type does not compile
void client.PUT("/v1/cart/items/{sku}", { params: { path: { sku: "a" } }, body: { quantity: "1" } });
