// Plain OAuth: an operator without an Embedded Signup configuration. Out to the full-page dialog and back,
// then the customer types the account's ID. All of it also works without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { launch, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { facebookButton } from './support/popup.mjs';
import { Serve } from './support/serve.mjs';

const customer = { email: 'nina@harbour.example', password: 'a long enough password', role: 'customer', company: 'Harbour Bakery' };
const start = () => Serve.start({ users: [customer], env: { DOORWAY_META_ES_CONFIG_ID: null } });
// A mistyped ID is answered with 422, which the browser reports.
const allow = [/status of (400|422)/];

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function oauth(name, steps, options = {}) {
  test(name, { timeout: 120_000 }, () => journey(browser, name, steps, { start, person: customer, allow, ...options }));
}

/** Walks the dialog in the same window by its primary buttons, and returns the account's ID as it shows it. */
async function walkDialog(page, sandbox) {
  let shown;
  for (let screens = 0; page.url().startsWith(sandbox.origin); screens += 1) {
    assert.ok(screens < 10, 'the dialog never ends');
    shown = /account ID: (\d+)/.exec(await page.locator('main').innerText())?.[1] ?? shown;
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    await page.getByRole('button', { name: /^(Continue|Confirm|Finish)$/ }).click();
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor({ state: 'detached' });
  }
  return shown;
}

async function type(page, id) {
  await page.getByLabel('WhatsApp Business account ID', { exact: true }).fill(id);
  await page.getByRole('button', { name: 'Connect this account', exact: true }).click();
}

/** The error stands beside the field and is tied to it; what was typed is still there. */
async function expectRefused(page, typed, text) {
  const field = page.locator('#waba-id[aria-invalid="true"]');
  await field.waitFor();
  assert.equal(await field.inputValue(), typed, 'what was typed is kept');
  const described = (await field.getAttribute('aria-describedby')).split(' ');
  const error = page.locator('.field-error');
  assert.ok(described.includes(await error.getAttribute('id')), 'the error describes the field');
  assert.match(await error.innerText(), text);
  assert.match(await page.title(), /^Problem: /);
}

async function connect({ page, demo, sandbox }) {
  await page.goto(`${demo.portal}/connect`);
  await facebookButton(page).click();
  await page.waitForURL((url) => url.origin === sandbox.origin);
  const shown = await walkDialog(page, sandbox);
  assert.match(shown ?? '', /^\d+$/, 'the dialog shows the ID of what is shared');
  await expectAttempt(page, 'choose');
  const address = page.url();
  assert.equal(new URL(address).search, '', 'no code stays in the address');
  assert.match(await page.locator('main').innerText(), /Where to find it/);

  await type(page, 'my shop');
  await expectRefused(page, 'my shop', /digits only/);
  const stranger = '102290129340398';
  await type(page, stranger);
  await expectRefused(page, stranger, /does not let us use this account/);
  assert.equal((await sandbox.state()).wabas[0].subscribed, false, 'nothing is done before it is proven');

  await type(page, shown);
  // The page may still show the choice for a moment.
  await page.locator('main:not([data-attempt="choose"])').waitFor();
  await expectAttempt(page, 'done');
  assert.ok(page.url().startsWith(address), 'the attempt keeps its address');
  const { wabas } = await sandbox.state();
  assert.deepEqual(wabas.map(({ id, subscribed }) => [id, subscribed]), [[shown, true]]);
  await page.getByRole('link', { name: 'See your connection', exact: true }).click();
  await page.locator('main[data-connection]').waitFor();
  assert.equal(await page.locator('main .number').count(), 1, 'the number is shown');
}

async function cancelAndRetry({ page, demo, sandbox }) {
  await page.goto(`${demo.portal}/connect`);
  await facebookButton(page).click();
  await page.waitForURL((url) => url.origin === sandbox.origin);
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Allow access' }).waitFor();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expectFailure(page, 'denied', { title: /did not agree/ });
  const denied = page.url();

  await facebookButton(page).click();
  await page.waitForURL((url) => url.origin === sandbox.origin);
  const shown = await walkDialog(page, sandbox);
  await expectAttempt(page, 'choose');
  assert.notEqual(page.url(), denied, 'a try of its own');
  await type(page, shown);
  await page.locator('main:not([data-attempt="choose"])').waitFor();
  await expectAttempt(page, 'done');
}

oauth('plain OAuth: a wrong ID, then the right one', connect);
oauth('plain OAuth: refused in the dialog, then again', cancelAndRetry, { viewport: phone, colorScheme: 'dark' });
oauth('plain OAuth without JavaScript', async (given) => {
  await connect(given);
  await cancelAndRetry(given);
}, { javaScriptEnabled: false });

oauth('an answer that is not this browser’s is not used', async ({ page, demo, sandbox }) => {
  const response = await page.goto(`${demo.portal}/auth/whatsapp/callback?code=AQDinvented&state=invented`);
  assert.equal(response.status(), 400);
  assert.match(await page.locator('main').innerText(), /belongs to another browser or another sign-in/);

  // The address that the dialog led back to does nothing a second time.
  const answers = [];
  page.on('request', (request) => { if (request.url().includes('/auth/whatsapp/callback?')) answers.push(request.url()); });
  await page.goto(`${demo.portal}/connect`);
  await facebookButton(page).click();
  await page.waitForURL((url) => url.origin === sandbox.origin);
  await walkDialog(page, sandbox);
  await expectAttempt(page, 'choose');
  const exchanges = async () => (await sandbox.requests()).filter(({ path }) => path.endsWith('/oauth/access_token')).length;
  assert.equal(await exchanges(), 1);
  await page.goto(answers[0]);
  assert.equal(await exchanges(), 1, 'the code is not exchanged again');
});
