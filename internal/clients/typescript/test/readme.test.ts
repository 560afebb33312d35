// Packs and installs the package, then compiles and runs the README's code with it, in Node and in a browser.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { openTab } from './browser.js';
import { startGateway } from './gateway.js';
import { baseUrl, logIn, newAttendee, newEvent, newPassword } from './fixtures.js';

const run = promisify(execFile);
const source = join(import.meta.dirname, '..');
const readme = await readFile(join(source, 'README.md'), 'utf8');
const project = await mkdtemp(join(tmpdir(), 'evb-project-'));
after(() => rm(project, { recursive: true }));

const blocks = (language: string) => [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!);

before(async () => {
  // Without scripts: prepack would rebuild dist, which the other tests are using.
  const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project], { cwd: source });
  await writeFile(join(project, 'package.json'), '{"type": "module", "private": true}');
  await run('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', `./${stdout.trim()}`], { cwd: project });
});

test('the package has no dependencies and no sources', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: project });
  assert.deepEqual(stdout.trim().split('\n').slice(1).map((path) => path.slice(project.length + 1)), ['node_modules/eventbooking-client']);
  assert.ok(!existsSync(join(project, 'node_modules/eventbooking-client/src')));
});

test('the TypeScript blocks of the README compile and run as one program', async () => {
  const program = blocks('ts').join('\n');
  assert.ok(program.includes("'http://127.0.0.1:8000'"));
  await writeFile(join(project, 'program.ts'), program.replace('http://127.0.0.1:8000', baseUrl));
  // Without the DOM's types, as in a project for Node only.
  const types = ['--lib', 'es2022', '--types', 'node', '--typeRoots', join(source, 'node_modules/@types')];
  await run(join(source, 'node_modules/.bin/tsc'), ['--strict', '--target', 'es2022', '--module', 'nodenext', ...types, 'program.ts'], {
    cwd: project,
  }).catch((error: { stdout: string }) => assert.fail(error.stdout));
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: project });
  const [booked, again, ...lines] = stdout.trim().split('\n');
  assert.match(booked!, /^confirmed \d{4}-/);
  assert.match(again!, /^Already booked: [0-9a-f-]{36}$/);
  assert.ok(lines.some((line) => / 1 confirmed$/.test(line)));
  assert.equal(lines.at(-1), 'Busy Bee');
});

test('the HTML page of the README logs in, lists events and books', async () => {
  const [page, ...others] = blocks('html');
  assert.ok(page && others.length === 0);
  const types: Record<string, string> = { '.js': 'text/javascript' };
  const gateway = await startGateway(baseUrl, async (path) => {
    if (path === '/') {
      return { type: 'text/html', content: page };
    }
    if (path.startsWith('/node_modules/')) {
      return { type: types[extname(path)] ?? 'text/plain', content: await readFile(join(project, path)) };
    }
    return undefined;
  });
  after(() => gateway.stop());
  const { tab, errors } = await openTab();

  const { email, api } = await newAttendee();
  const { slots } = await newEvent(await logIn('organizer@test.com'), [1], { title: 'Full house' });
  await (await newAttendee()).api.createBooking({ path: { slot_id: slots[0]!.id }, body: {} });
  const isShown = (text: RegExp) => tab.locator('output').filter({ hasText: text }).waitFor({ timeout: 20_000 });
  await tab.goto(gateway.url);
  await tab.fill('[name=email]', email);
  await tab.fill('[name=password]', 'wrong');
  await tab.click('form button');
  await isShown(/password/i);
  await tab.fill('[name=password]', newPassword);
  await tab.click('form button');
  await isShown(/^Welcome, New Comer\.$/);
  assert.ok((await tab.locator('li').count()) > 1);
  // A booking whose response is lost is retried in the browser, too, and made once.
  let losses = 2;
  gateway.loses = (method) => method === 'POST' && losses-- > 0;
  await tab.click('li button');
  await isShown(/: confirmed$/);
  assert.ok(losses < 0);
  assert.equal((await api.listMyBookings()).data.data.length, 1);
  await tab.click('li button');
  await isShown(/^You already have /);
  await tab.locator('li', { hasText: 'Full house' }).getByRole('button').click();
  await isShown(/: waitlisted, as number 1$/);
  assert.deepEqual(errors, []);
});
