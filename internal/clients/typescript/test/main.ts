// Starts a service with a fresh, seeded database, and runs the tests against it. Arguments select test files by
// name, such as `retry`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService } from './service.js';

const build = import.meta.dirname;
const repository = join(build, '../../../..');

process.env['EVENTBOOKING'] ??= (() => {
  const binary = join(build, 'eventbooking');
  execFileSync('go', ['build', '-o', binary, './cmd/eventbooking'], { cwd: repository, stdio: 'inherit' });
  return binary;
})();

const data = await mkdtemp(join(tmpdir(), 'evb-ts-'));
await chmod(data, 0o755); // PostgreSQL runs as another user when we are root
try {
  // The limits are on, as by default. The tests' people say from which address they come.
  const service = await startService({ DATA_DIR: data, TRUSTED_PROXIES: '127.0.0.1/32', LOG_LEVEL: 'info' }, '--seed-if-empty');
  try {
    const chosen = process.argv.slice(2);
    const files = (await readdir(build))
      .filter((file) => file.endsWith('.test.js') && (chosen.length === 0 || chosen.some((name) => file.startsWith(`${name}.`))))
      .map((file) => join(build, file));
    const tests = spawn(process.execPath, ['--test', '--test-reporter=spec', ...files], {
      stdio: 'inherit',
      env: { ...process.env, SERVICE_URL: service.url, SERVICE_DATA: data },
    });
    const [code] = await once(tests, 'exit');
    process.exitCode = code ?? 1;
    const limited = service.log().split('\n').filter((line) => line.includes(' status=429 '));
    if (limited.length > 0) {
      console.error(`requests of the tests met a rate limit:\n${limited.join('\n')}`);
      process.exitCode = 1;
    }
  } finally {
    await service.stop();
  }
} finally {
  await rm(data, { recursive: true, force: true });
}
