import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands before the service: it serves pages of its own, and passes everything else on. */
export interface Gateway {
  url: string;
  /** Whether it loses the answer to a request that it has passed on, and says 502 instead. */
  loses?: (method: string) => boolean;
  stop(): Promise<void>;
}

export async function startGateway(
  service: string,
  page?: (path: string) => Promise<{ type: string; content: string | Buffer } | undefined>,
): Promise<Gateway> {
  const server = createServer(async (asked, answer) => {
    const own = await page?.(asked.url ?? '/');
    if (own) {
      answer.writeHead(200, { 'Content-Type': own.type }).end(own.content);
    } else {
      const { method, headers, url } = asked;
      const passed = request(new URL(url ?? '/', service), { method, headers }, (came) => {
        if (gateway.loses?.(method ?? '')) {
          came.resume();
          answer.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>');
          return;
        }
        answer.writeHead(came.statusCode ?? 500, came.headers);
        came.pipe(answer);
      });
      passed.on('error', (error) => answer.destroy(error));
      asked.pipe(passed);
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
