// The benchmark's proxy on Node's http-proxy, with keep-alive connections to the service.
import http from 'node:http';
import httpProxy from 'http-proxy';

const proxy = httpProxy.createProxyServer({
  target: process.env.FILES_URL,
  agent: new http.Agent({ keepAlive: true, maxSockets: 128 }),
  xfwd: true,
  proxyTimeout: 2_500,
});

proxy.on('error', (error, _request, response) => {
  if (!response.headersSent) response.writeHead(502);
  response.end(error.message);
});

http
  .createServer((request, response) => proxy.web(request, response))
  .listen(Number(process.env.PORT), '127.0.0.1');
