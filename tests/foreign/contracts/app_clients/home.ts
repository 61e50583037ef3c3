// What an app writes with the types that graphql-codegen makes.
import { HomeDocument, type HomeQuery, type HomeQueryVariables } from "./clients/web/graphql.js";

const variables: HomeQueryVariables = { first: 3 };
const count = (found: HomeQuery): number | undefined => found.home?.cart?.count;
const ids = (found: HomeQuery): string[] => (found.home?.orders ?? []).map((order) => order.id);

export const request = { document: HomeDocument, variables, count, ids };
