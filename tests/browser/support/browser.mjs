// One real Chromium for a test file, and contexts that note every fault a page reports.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

export async function launch() {
  const executablePath = process.env.DOORWAY_CHROMIUM ?? places.find(existsSync);
  assert.ok(executablePath, 'no Chromium found; scripts/prerequisites browser installs it');
  return chromium.launch({ executablePath, args: flags });
}

/** A fresh profile. `options` are Playwright's: viewport, colorScheme, locale, javaScriptEnabled. */
export async function newContext(browser, options = {}) {
  const context = await browser.newContext({ viewport: desktop, locale: 'en-US', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(10_000);
  context.setDefaultNavigationTimeout(15_000);
  return { context, faults: new Faults(context) };
}

/** What the pages of a context complained about: errors on the console, CSP violations, uncaught errors. */
export class Faults {
  list = [];

  constructor(context) {
    context.on('console', (message) => {
      if (message.type() !== 'error') return;
      const text = message.text();
      const kind = /Content Security Policy/i.test(text) ? 'csp' : 'console';
      this.list.push({ kind, text, at: message.location().url });
    });
    context.on('weberror', (webError) => {
      this.list.push({ kind: 'uncaught', text: String(webError.error()), at: webError.page()?.url() });
    });
  }

  /** `allow`: patterns of the text of faults that the test itself brings about. */
  assertNone({ allow = [] } = {}) {
    const left = this.list.filter(({ text }) => !allow.some((pattern) => pattern.test(text)));
    assert.deepEqual(left, [], 'the browser reported faults');
  }
}
