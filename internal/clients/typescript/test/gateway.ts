import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A reverse proxy in front of the service that also serves pages of its own. */
export interface Gateway {
  url: string;
  /** Whether to replace the service's response to a request with this method by 502. */
  loses?: (method: string) => boolean;
  stop(): Promise<void>;
}

export async function startGateway(
  service: string,
  page?: (path: string) => Promise<{ type: string; content: string | Buffer } | undefined>,
): Promise<Gateway> {
  const server = createServer(async (incoming, response) => {
    const own = await page?.(incoming.url ?? '/');
    if (own) {
      response.writeHead(200, { 'Content-Type': own.type }).end(own.content);
    } else {
      const { method, headers, url } = incoming;
      const outgoing = request(new URL(url ?? '/', service), { method, headers }, (received) => {
        if (gateway.loses?.(method ?? '')) {
          received.resume();
          response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>');
          return;
        }
        response.writeHead(received.statusCode ?? 500, received.headers);
        received.pipe(response);
      });
      outgoing.on('error', (error) => response.destroy(error));
      incoming.pipe(outgoing);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gateway: Gateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return gateway;
}
