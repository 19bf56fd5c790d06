// A customer brings a Meta app of their own: wrong things first, then the right ones, the callback, a message, a revoked
// token that support sees and the customer replaces.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, newContext } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** Looks at a page again until it says this. */
async function says(page, words, tries = 60) {
  for (let at = 0; at < tries; at += 1) {
    const text = (await page.locator('main').innerText()).replace(/\s+/g, ' ');
    if (text.includes(words)) return text;
    await page.waitForTimeout(500);
    await page.reload();
  }
  assert.fail(`${words} is not on ${page.url()}: ${await page.locator('main').innerText()}`);
}

test('a connection through the customer’s own app, from its secret to a replaced token', { timeout: 180_000 }, () => journey(browser, 'own app', async ({ page, demo, sandbox }) => {
  const app = await sandbox.ownApp({ name: 'Bakery CRM' });
  const other = await sandbox.ownApp();
  await page.goto(`${demo.portal}/connections`);
  await page.getByRole('link', { name: 'I have my own Meta app' }).click();
  await looksRight(page, 'own-app-new');

  // Without the secret it is connected, and each page says that nothing comes in.
  const half = await sandbox.ownApp({ name: 'Half a CRM' });
  await page.getByLabel('WhatsApp Business account ID').fill(half.waba_id);
  await page.getByLabel('Access token').fill(half.token);
  await page.getByRole('button', { name: 'Check and connect' }).click();
  await page.getByText('Nothing can come in without the App Secret').waitFor();
  await looksRight(page, 'own-app-no-secret');
  await page.goto(page.url().replace(/\/own-app$/, ''));
  await page.getByText('Enter the App Secret, or no message comes in').waitFor();
  await looksRight(page, 'own-app-no-secret-connection');
  await page.goto(`${demo.portal}/connections`);
  await page.getByText('Nothing comes in').waitFor();
  await looksRight(page, 'connections-worst');
  await page.getByRole('link', { name: 'I have my own Meta app' }).click();

  // The secret is another app's: told at its field, and what is no secret stays.
  await page.getByLabel('WhatsApp Business account ID').fill(app.waba_id);
  await page.getByLabel('Access token').fill(app.token);
  await page.getByLabel('App ID').fill(app.app_id);
  await page.getByLabel('App Secret').fill(other.app_secret);
  await page.getByRole('button', { name: 'Check and connect' }).click();
  await page.getByText('This is not the secret of that app.').waitFor();
  assert.match(await page.title(), /^Problem: /);
  assert.equal(await page.getByLabel('WhatsApp Business account ID').inputValue(), app.waba_id);
  assert.equal(await page.getByLabel('Access token').inputValue(), '');
  await looksRight(page, 'own-app-problem');

  await page.getByLabel('Access token').fill(app.token);
  await page.getByLabel('App Secret').fill(app.app_secret);
  await page.getByRole('button', { name: 'Check and connect' }).click();
  await page.getByText('One step is left at Meta').waitFor();
  await looksRight(page, 'own-app-callback');
  const own = page.url();
  const [callback_url, verify_token] = await page.locator('section').first().locator('dd code').allInnerTexts();
  await sandbox.saveCallback({ app_id: app.app_id, callback_url, verify_token });
  await says(page, 'Meta checked this address');
  assert.equal(await page.getByText('One step is left at Meta').count(), 0);

  // A person writes to the number: it comes to this address, and shows among the events.
  const [phone] = app.phone_number_ids;
  await sandbox.webhook({ kind: 'message', phone_id: phone, from: '491701234567', name: 'Ann', type: 'text', text: 'Two loaves, please' });
  await page.goto(`${demo.portal}/events`);
  await says(page, 'Ann');

  // The token is revoked, and Meta says so to the app.
  await sandbox.revoke(app.waba_id);
  const value = { event: 'ACCOUNT_DELETED' };
  const entry = [{ id: app.waba_id, time: 1, changes: [{ field: 'account_update', value }] }];
  await sandbox.webhook({ raw: { object: 'whatsapp_business_account', entry }, own_app_id: app.app_id });
  await page.goto(own);
  await says(page, 'The token does not work any more');
  await looksRight(page, 'own-app-stale');

  // Support sees it first of all, and why.
  const { context, faults } = await newContext(browser);
  const desk = await context.newPage();
  await signIn(desk, demo.portal, people.support);
  await desk.goto(`${demo.portal}/support`);
  await says(desk, 'Meta does not take the token of the customer’s own app any more');
  await looksRight(desk, 'support-attention');
  const state = await sandbox.state();
  const number = state.phones.find((one) => one.id === phone).display_phone_number;
  await desk.getByLabel('Search').fill(number.replace(/[+ ]/g, ''));
  await desk.getByRole('button', { name: 'Search' }).click();
  await desk.locator('table a').first().waitFor();
  await looksRight(desk, 'support-found');
  await desk.locator('table a').first().click();
  await desk.getByRole('heading', { name: 'What is wrong, and what to do' }).waitFor();
  await looksRight(desk, 'support-customer');
  faults.assertNone({});
  await context.close();

  const renewed = await sandbox.ownApp({ app_id: app.app_id, waba_id: app.waba_id });
  await page.getByLabel('New access token').fill(other.token);
  await page.getByRole('button', { name: 'Check and replace' }).click();
  await page.getByText('The token belongs to another app.').waitFor();
  await page.getByLabel('New access token').fill(renewed.token);
  await page.getByRole('button', { name: 'Check and replace' }).click();
  await page.getByText('The new token is in use.').waitFor();
  await page.goto(own.replace(/\/own-app$/, ''));
  await page.getByRole('heading', { name: 'Own Meta app' }).waitFor();
  await looksRight(page, 'own-app-connection');
}, { allow: [/422/] }));
