// The shop of shop_asgi.py by Node's own server; prints the port that it listens on.
const fs = require("node:fs");
const zlib = require("node:zlib");

const PAGE = Buffer.from("the quick brown fox ".repeat(400));
const LARGE = Buffer.concat(Array(24_000).fill(Buffer.from([...Array(256).keys()])));
const [pem, authority] = process.argv.slice(2);

const whole = (response, body, fields = {}) =>
  response.writeHead(200, { "Content-Length": body.length, ...fields }).end(body);

const paths = {
  204: (_, response) => response.writeHead(204).end(),
  304: (_, response) => response.writeHead(304, { ETag: '"1"' }).end(),
  chunks: (_, response) => {
    response.write(PAGE.subarray(0, 3000));
    setImmediate(() => response.end(PAGE.subarray(3000)));
  },
  early: (_, response) => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    setImmediate(() => whole(response, PAGE));
  },
  // Neither length nor chunks: the end of the connection is the end of the body.
  ends: (_, response) => {
    response.useChunkedEncodingByDefault = response.shouldKeepAlive = false;
    response.writeHead(200, { Connection: "close" });
    response.write(PAGE.subarray(0, 3000));
    setImmediate(() => response.end(PAGE.subarray(3000)));
  },
  close: (_, response) => whole(response, PAGE, { Connection: "close" }),
  gzip: (_, response) => whole(response, zlib.gzipSync(PAGE), { "Content-Encoding": "gzip" }),
  br: (_, response) => whole(response, zlib.brotliCompressSync(PAGE), { "Content-Encoding": "br" }),
  large: (_, response) => whole(response, LARGE),
  peer: (request, response) => whole(response, Buffer.from(`${request.socket.remotePort}`)),
  say: (request, response) => whole(response, Buffer.from(request.url.slice("/say/".length))),
  echo: (request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => whole(response, Buffer.concat(parts)));
  },
};

const answer = (request, response) => {
  const path = paths[request.url.split("/")[1]] ?? ((_, response) => whole(response, PAGE));
  path(request, response);
};

const own = pem && fs.readFileSync(pem);
const secure = { key: own, cert: own };
if (authority) {
  Object.assign(secure, {
    ca: fs.readFileSync(authority),
    requestCert: true,
    rejectUnauthorized: true,
  });
}
const server = pem
  ? require("node:https").createServer(secure, answer)
  : require("node:http").createServer(answer);
server.keepAliveTimeout = 400;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
