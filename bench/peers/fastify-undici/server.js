// The benchmark's screen on Fastify and undici, as a careful Node engineer writes it: a pool for
// each service with timeouts, three parallel GETs, and a response schema, from which Fastify
// compiles the encoder that also trims the payloads.
import Fastify from 'fastify';
import { Pool } from 'undici';

const options = {
  connections: 128,
  connectTimeout: 1_000,
  headersTimeout: 2_500,
  bodyTimeout: 2_500,
};
const users = new Pool(process.env.USERS_URL, options);
const orders = new Pool(process.env.ORDERS_URL, options);
const recommendations = new Pool(process.env.RECOMMENDATIONS_URL, options);

async function getJson(pool, path) {
  const { statusCode, body } = await pool.request({ method: 'GET', path });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`${path} answered ${statusCode}`);
  }
  return body.json();
}

const list = (properties) => ({ type: 'array', items: { type: 'object', properties } });
const screen = {
  type: 'object',
  properties: {
    user: {
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: 'string' } },
    },
    orders: list({
      id: { type: 'integer' },
      total: { type: 'number' },
      status: { type: 'string' },
    }),
    recommendations: list({
      id: { type: 'integer' },
      title: { type: 'string' },
      price: { type: 'number' },
    }),
  },
};
const route = {
  schema: {
    params: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
    response: { 200: screen },
  },
};

const app = Fastify({ logger: false });

app.get('/screen/:id', route, async (request) => {
  const { id } = request.params;
  const [user, placed, recommended] = await Promise.all([
    getJson(users, `/users/${id}`),
    getJson(orders, `/orders/${id}`),
    getJson(recommendations, `/recommendations/${id}`),
  ]);
  return { user, orders: placed, recommendations: recommended };
});

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
