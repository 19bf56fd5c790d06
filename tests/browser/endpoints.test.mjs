// A customer's developer makes an endpoint without a server, sees a test arrive, lets it fail and mend, and changes
// its secret.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { signIn, people } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const button = (page, name) => page.getByRole('button', { name, exact: true });
const link = (page, name) => page.getByRole('link', { name, exact: true });
const said = (page, text) => page.getByRole('status').filter({ hasText: text }).first().waitFor();

test('an endpoint is made, tried, failed, mended, and given a new secret', { timeout: 180_000 }, () => journey(browser, 'endpoints', async ({ page, context, demo }) => {
  await page.goto(`${demo.portal}/settings`);
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Endpoints', exact: true }).click();
  await page.getByRole('heading', { name: 'No endpoint yet' }).waitFor();
  await looksRight(page, 'empty list');

  await link(page, 'New endpoint').first().click();
  await looksRight(page, 'form');
  await page.getByLabel('Name', { exact: true }).fill('Shop');
  await button(page, 'Make endpoint').click();
  await page.getByText('Enter the address that is to be called').waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Shop', 'what was typed stays');
  assert.match(await page.title(), /^Problem: /);
  await looksRight(page, 'form with a fault');
  await page.getByLabel('Try without a server', { exact: true }).check();
  await button(page, 'Make endpoint').click();
  await said(page, 'The endpoint is made.');
  await looksRight(page, 'new endpoint');

  // The secret is on no page but the one that was asked for it.
  assert.doesNotMatch(await page.content(), /whsec_/);
  await button(page, 'Show secret').click();
  const first = await page.locator('#the-secret').innerText();
  assert.match(first, /^whsec_[A-Za-z0-9+/]{43}=$/);
  await looksRight(page, 'endpoint with its secret');
  await link(page, 'Hide it').click();
  assert.doesNotMatch(await page.content(), /whsec_/);

  // What arrives is seen in another tab without reloading.
  const received = await context.newPage();
  await received.goto(`${page.url().split('?')[0]}/received`);
  await received.getByRole('heading', { name: 'Nothing yet' }).waitFor();
  await looksRight(received, 'nothing received');
  await button(page, 'Send test event').click();
  await page.locator('#live-test').getByText('Delivered', { exact: true }).waitFor();
  assert.match(await page.locator('#live-test').innerText(), /Attempt 1\s+200/);
  const call = received.locator('[data-call]').first();
  await call.waitFor();
  assert.match(await call.innerText(), /Delivery 1, attempt 1[\s\S]*Answered 200[\s\S]*Signature is right/);
  assert.match(await call.locator('pre').innerText(), /"type": "message\.received"[\s\S]*This is a test/);
  await call.getByText('Headers', { exact: false }).click();
  assert.match(await call.innerText(), /webhook-signature\s+v1,/);
  await looksRight(received, 'received');
  await looksRight(page, 'endpoint with a test');

  // It fails, and the retry is planned; once it is mended the delivery arrives.
  await received.getByLabel('500, a failure', { exact: true }).check();
  await button(received, 'Set').click();
  await said(received, 'From now on the receiver answers');
  await button(page, 'Send test event').click();
  await page.locator('#live-test').getByText('Failed, is tried again', { exact: true }).waitFor();
  assert.match(await page.locator('#live-test').innerText(), /Next attempt/);
  // The list follows by itself, a moment later.
  await page.locator('#live-deliveries').getByText('Failed, is tried again', { exact: true }).first().waitFor();
  assert.match(await page.locator('#live-deliveries').innerText(), /Failed, is tried again[\s\S]*Last answer: 500/);
  await received.locator('[data-call]').filter({ hasText: 'Answered 500' }).first().waitFor();
  await looksRight(page, 'failing endpoint');
  await received.getByLabel('200, all is well', { exact: true }).check();
  await button(received, 'Set').click();
  // Minutes may lie between attempts; resuming makes what waits due at once.
  await button(page, 'Pause').click();
  await said(page, 'The endpoint is paused.');
  await looksRight(page, 'paused endpoint');
  await button(page, 'Resume').click();
  const second = page.locator('#live-deliveries li.card').first();
  await second.getByText('Delivered', { exact: true }).waitFor();
  assert.match(await second.innerText(), /Test event[\s\S]*Last answer: 200/);
  await received.locator('[data-call]').filter({ hasText: /Delivery 2, attempt \d\s+Answered 200/ }).waitFor();

  // A new secret: both count until the old one is ended.
  await link(page, 'Make a new secret').click();
  await looksRight(page, 'rotate');
  await button(page, 'Make a new secret').click();
  await page.getByText('Two secrets count', { exact: true }).waitFor();
  await looksRight(page, 'endpoint while its secret is changed');
  await button(page, 'Send test event').click();
  const both = received.locator('[data-call]').filter({ hasText: 'Delivery 3, attempt 1' });
  await both.waitFor();
  await both.getByText('Headers', { exact: false }).click();
  assert.match(await both.innerText(), /webhook-signature\s+v1,\S+ v1,\S+/, 'both sign');
  await button(page, 'End the old secret now').click();
  await said(page, 'signed with the new secret alone');
  assert.equal(await page.getByText('Two secrets count', { exact: true }).count(), 0);
  await button(page, 'Show secret').click();
  assert.notEqual(await page.locator('#the-secret').innerText(), first);
  await link(page, 'Hide it').click();

  await link(page, 'Change').click();
  await page.getByLabel('Only what is ticked here', { exact: true }).check();
  // The list opens by its own line, for who sees no script.
  await page.getByText('Kinds of events', { exact: true }).click();
  await page.getByLabel(/^Message received/).check();
  await looksRight(page, 'form with kinds');
  await button(page, 'Save').click();
  await said(page, 'The endpoint is saved.');
  assert.match(await page.getByRole('region', { name: 'What it is', exact: true }).innerText(), /What it gets\s+Message received/);

  await page.getByRole('region', { name: 'What it is', exact: true }).getByRole('link', { name: 'Examples' }).click();
  await page.getByRole('heading', { name: 'What endpoints get' }).waitFor();
  for (const example of await page.locator('details').all()) await example.evaluate((details) => { details.open = true; });
  const formats = await page.locator('main').innerText();
  assert.match(formats, /"Destination": "15550783881"/);
  assert.match(formats, /"type": "number\.quality_changed"/);
  await looksRight(page, 'formats');

  await page.goto(`${demo.portal}/settings/endpoints`);
  assert.match(await page.locator('tbody tr').innerText(), /Shop[\s\S]*Built-in receiver[\s\S]*Active/);
  await looksRight(page, 'list');
  await link(page, 'Shop').click();
  await link(page, 'Delete Shop').click();
  await looksRight(page, 'delete');
  await button(page, 'Delete Shop').click();
  await said(page, 'The endpoint Shop is deleted.');
  await page.getByRole('heading', { name: 'No endpoint yet' }).waitFor();
}, { allow: [/status of 422/, /status of 404/] }));

test('support sees a customer’s endpoints and pauses one', { timeout: 60_000 }, () => journey(browser, 'endpoints for support', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/settings/endpoints/new`);
  await page.getByLabel('Name', { exact: true }).fill('Shop');
  await page.getByLabel('Try without a server', { exact: true }).check();
  await button(page, 'Make endpoint').click();
  await said(page, 'The endpoint is made.');
  await page.getByRole('group').getByText('Maria Lopes').first().click();
  await button(page, 'Sign out').click();
  await signIn(page, demo.portal, people.support);
  await page.goto(`${demo.portal}/support?q=Harbour`);
  await link(page, 'Harbour Bakery').click();
  await link(page, 'Endpoints').click();
  await button(page, 'Pause Shop').click();
  await said(page, 'Shop is paused.');
  await looksRight(page, 'endpoints for support');
  await button(page, 'Resume Shop').click();
  await said(page, 'Shop is called again.');
}));
