import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type NetConnectOpts, type Socket } from 'node:net';

/** A bad network: passes bytes on between callers and a server, and may be told to lose some. */
export interface Proxy {
  /** Where it listens, when that is a port. */
  port: number;
  /**
   * Decides about each piece of what the server says: it is passed on, or lost
   * without a word, or lost with the connection, or half of it is.
   */
  onAnswer?: ((piece: Buffer) => 'pass' | 'lose' | 'cut' | 'halve') | undefined;
  /** Cuts the connections that there are. */
  cut(): void;
  /** Whether new connections are refused. */
  down: boolean;
  stop(): Promise<void>;
}

export async function startProxy(to: NetConnectOpts, listen: string | number = 0): Promise<Proxy> {
  const open = new Set<Socket>();
  const server = createServer((caller) => {
    if (proxy.down) {
      caller.destroy();
      return;
    }
    const upstream = connect(to);
    const end = () => {
      for (const socket of [caller, upstream]) {
        socket.destroy();
        open.delete(socket);
      }
    };
    for (const socket of [caller, upstream]) {
      open.add(socket);
      socket.on('close', end).on('error', end);
    }
    caller.on('data', (piece) => upstream.write(piece));
    upstream.on('data', (piece) => {
      switch (proxy.onAnswer?.(piece) ?? 'pass') {
        case 'pass':
          return caller.write(piece);
        case 'halve':
          return caller.write(piece.subarray(0, -piece.length / 2), end);
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
