import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after } from 'node:test';
import { chromium, type Page } from 'playwright-core';

/** A tab in the system's Chromium, and everything that goes wrong in it: exceptions, and what it says on its console. */
export async function openTab(): Promise<{ tab: Page; mistakes: string[] }> {
  const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );
  assert.ok(executablePath, 'there is no Chromium: install it, or say where it is with CHROMIUM=/path/to/chromium');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  after(() => browser.close());
  const tab = await browser.newPage();
  const mistakes: string[] = [];
  tab.on('pageerror', (error) => mistakes.push(error.message));
  tab.on('console', (message) => {
    // Chromium says there of each answer that is no success, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource: the server responded with')) {
      mistakes.push(message.text());
    }
  });
  return { tab, mistakes };
}
