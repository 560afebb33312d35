import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Service {
  /** Its base URL. */
  url: string;
  /** What it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts the service, on a free port unless `settings` has ADDR, and waits until it
 * serves. It is stopped when this process exits, if not before.
 */
export async function startService(settings: Record<string, string>, ...flags: string[]): Promise<Service> {
  const binary = process.env['EVENTBOOKING'];
  if (!binary) {
    throw new Error('EVENTBOOKING is not set: run the tests with npm test');
  }
  // RUN_AS: if root runs the tests, their directories are root's.
  const env = { ...process.env, ADDR: '127.0.0.1:0', LOG_LEVEL: 'warn', RUN_AS: 'root', ...settings };
  const service = spawn(binary, ['serve', ...flags], { env });
  const kill = () => service.kill();
  process.once('exit', kill);
  const ended = once(service, 'exit');
  let log = '';
  service.stderr.on('data', (chunk) => (log += chunk));

  const serving = async () => {
    for await (const line of createInterface(service.stdout)) {
      const url = /^Serving on\s+(\S+)/.exec(line)?.[1];
      if (url) {
        service.stdout.resume(); // a full pipe would block the service
        return url;
      }
    }
    throw new Error(`the service did not start:\n${log}`);
  };
  return {
    url: await within(60_000, 'the service to start', serving()),
    log: () => log,
    async stop() {
      service.kill();
      await within(30_000, 'the service to stop', ended);
      process.removeListener('exit', kill);
    },
  };
}

/** Waits for a promise, and rejects if that takes longer. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${milliseconds} ms waiting for ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `poll` until it returns a result, for up to 30 seconds. */
export async function until<T>(what: string, poll: () => Promise<T | false | undefined>): Promise<T> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const result = await poll();
    if (result) {
      return result;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`timed out after 30 s waiting for ${what}`);
}
