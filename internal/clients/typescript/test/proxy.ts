import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type NetConnectOpts, type Socket } from 'node:net';

/** A TCP proxy in front of a server that loses bytes or connections when told to. */
export interface Proxy {
  /** The port that it listens on; 0 for a Unix socket. */
  port: number;
  /**
   * Decides what happens to each chunk that the server sends: it is passed on, or
   * dropped, or the connection is cut before it (`cut`) or in the middle of it (`halve`).
   */
  onChunk?: ((chunk: Buffer) => 'pass' | 'drop' | 'cut' | 'halve') | undefined;
  /** Cuts all open connections. */
  cut(): void;
  /** Whether new connections are refused. */
  down: boolean;
  stop(): Promise<void>;
}

export async function startProxy(to: NetConnectOpts, listen: string | number = 0): Promise<Proxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    if (proxy.down) {
      client.destroy();
      return;
    }
    const upstream = connect(to);
    const end = () => {
      for (const socket of [client, upstream]) {
        socket.destroy();
        open.delete(socket);
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('close', end).on('error', end);
    }
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      switch (proxy.onChunk?.(chunk) ?? 'pass') {
        case 'pass':
          return client.write(chunk);
        case 'halve': {
          const body = chunk.indexOf('\r\n\r\n') + 4;
          return client.write(chunk.subarray(0, body + (chunk.length - body) / 2), end);
        }
        case 'cut':
          return end();
      }
    });
  });
  const cut = () => open.forEach((socket) => socket.destroy());
  const proxy: Proxy = {
    port: 0,
    down: false,
    cut,
    async stop() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
  if (typeof listen === 'string') {
    server.listen(listen);
  } else {
    server.listen(listen, '127.0.0.1');
  }
  await once(server, 'listening');
  proxy.port = (server.address() as AddressInfo).port ?? 0;
  return proxy;
}
