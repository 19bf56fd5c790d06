// From an empty install to green: an admin enters Meta's settings, is told what is wrong, mends it, and a customer connects.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { assertFits } from './support/looks.mjs';
import { goThroughPopup } from './support/popup.mjs';
import { Sandbox } from './support/sandbox.mjs';
import { Serve } from './support/serve.mjs';
import { signIn } from './support/signin.mjs';

const password = 'a long enough password';
const admin = { email: 'ada@northwind.example', password, role: 'admin' };
const customer = { email: 'nina@harbour.example', password, role: 'customer', company: 'Harbour Bakery' };
const businessId = '506914307656634';
const nothing = ['APP_ID', 'APP_SECRET', 'ES_CONFIG_ID', 'VERIFY_TOKEN', 'SYSTEM_TOKEN'].map((name) => [`DOORWAY_META_${name}`, null]);

let browser;
let portal;
let sandbox;
before(async () => {
  browser = await launch();
  portal = await Serve.start({
    users: [admin, customer], webhook: false, env: { ...Object.fromEntries(nothing), DOORWAY_STAFF_TOTP: 'false' },
  });
  sandbox = new Sandbox(portal.sandbox);
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await portal?.stop();
});

/** Axe, and no sideways scrolling, at both sizes. */
async function look(page, name) {
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    await assertFits(page, name);
    await assertAccessible(page, name);
  }
}

/** The grade of each line of the check. */
async function grades(page) {
  const lines = await page.locator('[data-finding]').evaluateAll((all) => all.map((li) => [li.dataset.finding, li.dataset.grade]));
  return Object.fromEntries(lines);
}

/** Waits for a line of the check, also where it stands folded away among the good ones. */
const lineIs = (page, id, grade, options) =>
  page.locator(`[data-finding="${id}"][data-grade="${grade}"]`).waitFor({ state: 'attached', ...options });

const saveButton = (page) => page.getByRole('button', { name: 'Save and check', exact: true });

test('an empty install becomes green, and a customer connects', { timeout: 180_000 }, async () => {
  const { context, faults } = await newContext(browser);
  const page = await context.newPage();
  await signIn(page, portal.portal, admin);

  // The overview says what comes first, and leads there.
  await page.goto(`${portal.portal}/backoffice`);
  await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
  await look(page, 'overview, empty');
  await page.locator('main').getByRole('link', { name: /^To Meta settings/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Meta settings' }).waitFor();
  await look(page, 'settings, empty');

  // A value in the wrong field: told beside it, and what was typed stays.
  const fill = async (label, value) => page.getByLabel(label, { exact: true }).fill(value);
  await fill('App ID', portal.app.appSecret);
  await fill('Embedded Signup configuration ID', portal.app.configId);
  await saveButton(page).click();
  await page.getByText('This looks like the App Secret.').waitFor();
  assert.match(await page.title(), /^Problem: /);
  assert.equal(await page.getByLabel('Embedded Signup configuration ID', { exact: true }).inputValue(), portal.app.configId);
  await look(page, 'settings, with a problem');

  // A wrong secret: red, with its cure.
  await fill('App ID', ` ${portal.app.appId} `);
  await fill('App Secret', 'f'.repeat(32));
  await fill('System token', portal.app.systemToken);
  await fill('Business portfolio ID', businessId);
  await saveButton(page).click();
  await lineIs(page, 'app.credentials', 'red');
  const wrong = await page.locator('[data-finding="app.credentials"]').innerText();
  assert.match(wrong, /the secret is not this app’s/);
  assert.match(wrong, /What to do: .*press Show/s);
  assert.equal((await grades(page))['webhooks.fields'], 'grey', 'nothing is told of what could not be asked');
  await look(page, 'settings, with a wrong secret');

  // Meta away: nothing typed is lost.
  await sandbox.fault('graph_down', { times: null });
  await fill('App Secret', portal.app.appSecret);
  await saveButton(page).click();
  await lineIs(page, 'graph', 'red', { timeout: 15_000 });
  await sandbox.clear();
  await page.getByRole('button', { name: 'Check now', exact: true }).click();
  await lineIs(page, 'app.credentials', 'green');
  assert.equal((await grades(page))['webhooks.callback'], 'red');

  // One button registers the webhooks: all is green, or can't be told on a local trial.
  await page.getByRole('button', { name: 'Register callback and fields', exact: true }).click();
  await page.getByText('Callback and fields are registered at Meta.').waitFor();
  const left = Object.entries(await grades(page)).filter(([, grade]) => !['green', 'grey'].includes(grade));
  assert.deepEqual(left, []);
  await look(page, 'settings, green');
  const html = await page.content();
  assert.ok(!html.includes(portal.app.appSecret) && !html.includes(portal.app.systemToken), 'secrets are never shown');
  await page.goto(`${portal.portal}/backoffice`);
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  await look(page, 'overview, green');

  // The go-live list: what is seen, and a tick that can be taken back.
  await page.goto(`${portal.portal}/backoffice/go-live`);
  const progress = page.locator('[data-progress]');
  assert.equal(await progress.innerText(), '9 of 22 done');
  await page.getByRole('button', { name: 'Tick Live mode', exact: true }).click();
  await page.getByText('10 of 22 done').first().waitFor();
  assert.match(await page.locator('[data-item="live"]').innerText(), /Ticked by/);
  await look(page, 'go-live');
  await page.getByRole('button', { name: 'Take the tick back Live mode', exact: true }).click();
  await page.getByText('9 of 22 done').first().waitFor();

  // And a customer connects.
  const other = await newContext(browser);
  const theirs = await other.context.newPage();
  await signIn(theirs, portal.portal, customer);
  await theirs.goto(`${portal.portal}/connect`);
  await goThroughPopup(theirs);
  await expectAttempt(theirs, 'done');
  await other.context.close();
  await page.goto(`${portal.portal}/backoffice/settings`);
  await page.getByRole('button', { name: 'Check now', exact: true }).click();
  await lineIs(page, 'es_config', 'green');
  // Answers of 422 are noted on the console.
  faults.assertNone({ allow: [/status of 422/] });
  other.faults.assertNone();
  await context.close();
});

test('two tabs do not overwrite each other, and the old secret is taken for a while', { timeout: 60_000 }, async () => {
  const { context } = await newContext(browser);
  const first = await context.newPage();
  await signIn(first, portal.portal, admin);
  await first.goto(`${portal.portal}/backoffice/settings`);
  const second = await context.newPage();
  await second.goto(`${portal.portal}/backoffice/settings`);
  await first.getByLabel('App Secret', { exact: true }).fill('0123456789abcdef'.repeat(2));
  await saveButton(first).click();
  await first.getByText('The old App Secret is still taken for webhooks').waitFor();
  await look(first, 'settings, rotating');
  await second.getByLabel('Graph API version', { exact: true }).fill('26.0');
  await saveButton(second).click();
  await second.getByText('Changed meanwhile').waitFor();
  assert.equal(await second.getByLabel('Graph API version', { exact: true }).inputValue(), '26.0');
  await look(second, 'settings, changed meanwhile');
  await first.getByRole('button', { name: 'Stop accepting it now', exact: true }).click();
  await first.getByText('The old App Secret is no longer taken.').waitFor();
  await context.close();
});

test('what is switched off on the sandbox’s page is seen by the check', { timeout: 60_000 }, async () => {
  const { context, faults } = await newContext(browser);
  const page = await context.newPage();
  await signIn(page, portal.portal, admin);
  const flip = async (on) => {
    await page.goto(`${portal.sandbox}/`);
    await page.getByLabel('There is an app icon', { exact: true }).setChecked(on);
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Meta\'s stand-in' }).waitFor();
    assert.equal(await page.getByLabel('There is an app icon', { exact: true }).isChecked(), on);
  };
  await flip(false);
  await page.goto(`${portal.portal}/backoffice/settings`);
  // The secret of the test before is not the app's.
  await page.getByLabel('App Secret', { exact: true }).fill(portal.app.appSecret);
  await saveButton(page).click();
  await lineIs(page, 'app.icon', 'amber');
  await flip(true);
  await page.goto(`${portal.portal}/backoffice/settings`);
  await page.getByRole('button', { name: 'Check now', exact: true }).click();
  await lineIs(page, 'app.icon', 'green');
  faults.assertNone();
  await context.close();
});
