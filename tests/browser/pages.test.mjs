// Every page, in both themes and at both widths: axe-core, weight, no sideways scrolling.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';
import { weigh } from './support/network.mjs';
import { cancel, goThroughPopup, openPopup, walk } from './support/popup.mjs';
import { Sandbox, scenario } from './support/sandbox.mjs';
import { people, signIn } from './support/signin.mjs';

const heaviest = 60_000;

/** Who sees which pages. `landing` stands for where sign-in leads; `{...}` for what the signups below made. */
const pages = {
  nobody: ['/', '/signin'],
  customer: ['landing', '/connect', '/connections', '{connection}', '{done}', '{choose}', '{failed}'],
  support: ['landing'],
  admin: ['landing'],
};

let browser;
let demo;
const made = {};

before(async () => {
  browser = await launch();
  demo = await Demo.start();
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Runs `steps` on a page of a fresh context; signs `role` in unless nobody. */
async function visit(role, options, steps) {
  const { context, faults } = await newContext(browser, options);
  try {
    const page = await context.newPage();
    if (role !== 'nobody') await signIn(page, demo.portal, people[role]);
    await steps(page);
    faults.assertNone();
  } finally {
    await context.close();
  }
}

async function assertFits(page, name) {
  const { content, view } = await page.evaluate(() => ({ content: document.scrollingElement.scrollWidth, view: window.innerWidth }));
  assert.ok(content <= view, `${name} is ${content} px wide in a window of ${view} px`);
}

test('the signup popup, screen by screen', { timeout: 240_000 }, async () => {
  const sandbox = new Sandbox(demo.sandbox);
  await visit('customer', { viewport: desktop }, async (page) => {
    await page.goto(`${demo.portal}/connect`);
    await goThroughPopup(page, {
      onScreen: async ({ popup, heading }) => {
        for (const viewport of [phone, desktop]) {
          await popup.setViewportSize(viewport);
          await assertFits(popup, heading);
          await assertAccessible(popup, `popup: ${heading}`);
        }
      },
    });
    await expectAttempt(page, 'done');
    made.done = new URL(page.url()).pathname;
    await page.goto(`${demo.portal}/connections`);
    const link = page.locator('main a[href^="/connections/"]').first();
    made.connection = new URL(await link.evaluate((a) => a.href)).pathname;

    await page.goto(`${demo.portal}/connect`);
    const popup = await openPopup(page);
    await walk(popup, { stopAt: 2 });
    await cancel(popup);
    await expectAttempt(page, 'failed');
    made.failed = new URL(page.url()).pathname;

    await sandbox.play(scenario.severalAccounts);
    await page.goto(`${demo.portal}/connect`);
    await goThroughPopup(page);
    await expectAttempt(page, 'choose');
    made.choose = new URL(page.url()).pathname;
  });
});

for (const [role, paths] of Object.entries(pages)) {
  describe(`pages for ${role}`, () => {
    for (const path of paths) {
      test(path, { timeout: 120_000 }, () => checkPage(role, path));
    }
  });
}

async function checkPage(role, path) {
  for (const viewport of [phone, desktop]) {
    await visit(role, { viewport }, async (page) => {
      const url = address(page, path);
      const { status, requests } = await weigh(page, url);
      assert.equal(status, 200, url);
      assertLight(url, requests);
      await assertFits(page, url);
      await assertAccessible(page, path);
    });
  }
}

function address(page, path) {
  if (path === 'landing') return page.url();
  const name = /^\{(\w+)\}$/.exec(path)?.[1];
  assert.ok(!name || made[name], `the signups made no ${name} page`);
  return demo.portal + (name ? made[name] : path);
}

/** The SDK and its frames are Meta's in life: they don't count as the portal's weight. */
function assertLight(url, requests) {
  const own = requests.filter((request) => new URL(request.url).origin === demo.portal);
  const bytes = own.reduce((sum, request) => sum + request.bytes, 0);
  const list = own.map((request) => `  ${request.bytes} ${request.url}`).join('\n');
  assert.ok(bytes > 0 && bytes < heaviest, `${url} weighs ${bytes} bytes:\n${list}`);
  assert.deepEqual(requests.filter(({ type }) => type === 'Font').map((request) => request.url), [], 'no fonts over the wire');
  const foreign = requests.map((request) => new URL(request.url).origin).filter((origin) => ![demo.portal, demo.sandbox].includes(origin));
  assert.deepEqual(foreign, [], `${url} asks strangers`);
}
