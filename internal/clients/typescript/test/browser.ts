import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after } from 'node:test';
import { chromium, type Page } from 'playwright-core';

/** Opens a tab in the system's Chromium. `errors` collects its exceptions and console errors. */
export async function openTab(): Promise<{ tab: Page; errors: string[] }> {
  const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );
  assert.ok(executablePath, 'Chromium was not found: install it, or set CHROMIUM to its path');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  after(() => browser.close());
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on('pageerror', (error) => errors.push(error.message));
  tab.on('console', (message) => {
    // Chromium also logs every unsuccessful response as an error; those are expected.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource: the server responded with')) {
      errors.push(message.text());
    }
  });
  return { tab, errors };
}
