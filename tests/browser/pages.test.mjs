// Every page, in both themes and at both widths: axe-core, weight, no sideways scrolling.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';
import { assertFits } from './support/looks.mjs';
import { weigh } from './support/network.mjs';
import { cancel, goThroughPopup, openPopup, walk } from './support/popup.mjs';
import { Sandbox, scenario } from './support/sandbox.mjs';
import { people, signIn } from './support/signin.mjs';

const heaviest = 60_000;

/** Who sees which pages. `landing` stands for where sign-in leads; `{...}` for what is made below. */
const pages = {
  nobody: ['/', '/signin', '/nope', '{sandbox}', '{sandbox over}'],
  customer: [
    'landing', '/connect', '/connections', '/settings', '/settings/two-step', '/nope', '{connection}', '{disconnect}', '{done}', '{choose}', '{failed}',
  ],
  support: ['landing', '/support?q=harb', '/connect', '{customer}', '{release}'],
  admin: ['landing', '/settings'],
};
/** What is answered where it is not 200. */
const statuses = { 'nobody /nope': 404, 'customer /nope': 404, 'nobody {sandbox over}': 404, 'support /connect': 403 };

let browser;
let demo;
const made = {};
const signedIn = {};

before(async () => {
  browser = await launch();
  demo = await Demo.start();
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Runs `steps` on a page of a fresh context, where `role` is signed in unless nobody. */
async function visit(role, options, steps, allow = []) {
  const { context, faults } = await newContext(browser, { storageState: await session(role), ...options });
  try {
    await steps(await context.newPage());
    faults.assertNone({ allow });
  } finally {
    await context.close();
  }
}

/** The cookies of a person who has signed in, and where that led. */
async function session(role) {
  if (role === 'nobody') return undefined;
  if (!signedIn[role]) {
    const { context } = await newContext(browser);
    const page = await context.newPage();
    await signIn(page, demo.portal, people[role]);
    signedIn[role] = { state: await context.storageState(), landing: page.url() };
    await context.close();
  }
  return signedIn[role].state;
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
    made.done = page.url();
    await page.goto(`${demo.portal}/connections`);
    const link = page.locator('main a[href^="/connections/"]').first();
    made.connection = await link.evaluate((a) => a.href);
    made.disconnect = `${made.connection}/disconnect`;

    await page.goto(`${demo.portal}/connect`);
    const popup = await openPopup(page);
    await walk(popup, { stopAt: 2 });
    await cancel(popup);
    await expectAttempt(page, 'failed');
    made.failed = page.url();

    await sandbox.play(scenario.severalAccounts);
    await page.goto(`${demo.portal}/connect`);
    await goThroughPopup(page);
    await expectAttempt(page, 'choose');
    made.choose = page.url();
  });

  await visit('support', { viewport: desktop }, async (page) => {
    await page.goto(`${demo.portal}/support?q=harb`);
    await page.getByRole('link', { name: 'Harbour Bakery', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Harbour Bakery' }).waitFor();
    made.customer = page.url();
    made.release = await page.getByRole('link', { name: /^Release/ }).first().evaluate((a) => a.href);
  });
  made.sandbox = `${demo.sandbox}/`;
  made['sandbox over'] = `${demo.sandbox}/dialog/flow/none`;
});

for (const [role, paths] of Object.entries(pages)) {
  describe(`pages for ${role}`, () => {
    for (const path of paths) {
      test(path, { timeout: 120_000 }, () => checkPage(role, path));
    }
  });
}

async function checkPage(role, path) {
  const expected = statuses[`${role} ${path}`] ?? 200;
  await visit(role, { viewport: phone }, async (page) => {
    const url = address(role, path);
    const { status, requests } = await weigh(page, url);
    assert.equal(status, expected, url);
    assertLight(url, requests);
    for (const viewport of [phone, desktop]) {
      await page.setViewportSize(viewport);
      await assertFits(page, url);
      await assertAccessible(page, path);
    }
  }, expected === 200 ? [] : [new RegExp(`status of ${expected}`)]);
}

function address(role, path) {
  if (path === 'landing') return signedIn[role].landing;
  const name = /^\{([\w ]+)\}$/.exec(path)?.[1];
  assert.ok(!name || made[name], `the signups made no ${name} page`);
  return name ? made[name] : demo.portal + path;
}

/** The SDK and its frames are Meta's in life: they don't count as the portal's weight. */
function assertLight(url, requests) {
  const { origin } = new URL(url);
  const own = requests.filter((request) => new URL(request.url).origin === origin);
  const bytes = own.reduce((sum, request) => sum + request.bytes, 0);
  const list = own.map((request) => `  ${request.bytes} ${request.url}`).join('\n');
  assert.ok(bytes > 0 && bytes < heaviest, `${url} weighs ${bytes} bytes:\n${list}`);
  assert.deepEqual(requests.filter(({ type }) => type === 'Font').map((request) => request.url), [], 'no fonts over the wire');
  const foreign = requests.map((request) => new URL(request.url).origin).filter((origin) => ![demo.portal, demo.sandbox].includes(origin));
  assert.deepEqual(foreign, [], `${url} asks strangers`);
}
