// Staff and customers: create one, find it among many, suspend, hand out, delete.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { assertFits } from './support/looks.mjs';
import { goThroughPopup } from './support/popup.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); }, { timeout: 60_000 });
after(() => browser?.close());

function customers(name, steps, options) {
  test(name, { timeout: 180_000 }, () => journey(browser, name, steps, options));
}

/** The page as it stands: axe and no sideways scrolling, at both widths. */
async function assertFine(page, name) {
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    await assertFits(page, name);
    await assertAccessible(page, name);
  }
}

const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

async function create(page, demo, name) {
  await page.goto(`${demo.portal}/backoffice/customers/new`);
  await page.getByLabel('Name of the company').fill(name);
  await page.getByRole('button', { name: 'Create customer' }).click();
  await status(page, `${name} is created`);
}

customers('a customer is created and found among many', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/support`);
  await page.getByRole('link', { name: 'Customers', exact: true }).click();
  await page.getByRole('link', { name: 'New customer' }).first().click();
  await assertFine(page, 'new customer');
  await page.getByLabel('Name of the company').fill('Harbour Bakery');
  await page.getByRole('button', { name: 'Create customer' }).click();
  await page.getByRole('alert').filter({ hasText: 'A customer of this name is here already' }).waitFor();
  await assertFine(page, 'the warning');
  await page.getByLabel('Name of the company').fill('Żabka Sklep');
  await page.locator('summary', { hasText: 'business’s details' }).click();
  await page.getByLabel('City').fill('Kraków');
  await assertFine(page, 'new customer with details');
  // The name is another one now: nothing to be warned of.
  await page.getByRole('button', { name: 'Create all the same' }).click();
  await status(page, 'Żabka Sklep is created');
  await assertFine(page, 'a customer without anything');
  await page.getByRole('link', { name: 'Business details' }).click();
  assert.equal(await page.getByLabel('City').inputValue(), 'Kraków');
  await assertFine(page, 'business details');
  for (let number = 1; number <= 52; number++) await create(page, demo, `Company ${String(number).padStart(2, '0')}`);

  await page.goto(`${demo.portal}/backoffice/customers`);
  await page.getByRole('heading', { name: '54 customers' }).waitFor();
  assert.equal(await page.getByRole('rowheader').count(), 50);
  await assertFine(page, 'the list');
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByRole('link', { name: 'Harbour Bakery' }).waitFor();
  await page.getByRole('link', { name: 'Previous' }).click();
  await page.getByRole('link', { name: 'Company 52' }).waitFor();
  await page.getByLabel('Search').fill('żABKA');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Found for “żABKA”' }).waitFor();
  assert.deepEqual(await page.getByRole('rowheader').allInnerTexts(), ['Żabka Sklep']);
  await page.getByLabel('Search').fill('nothing like it');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('heading', { name: 'No customer fits' }).waitFor();
  await assertFine(page, 'nothing found');
  await page.goto(`${demo.portal}/backoffice/customers?filter=suspended`);
  await page.getByRole('heading', { name: '0 customers, suspended' }).waitFor();
}, { person: people.support, allow: [/status of 422/] });

customers('a customer is suspended, handed out and deleted', async ({ page, demo, sandbox, context }) => {
  const member = await newContext(browser);
  const theirs = await member.context.newPage();
  await signIn(theirs, demo.portal, people.customer);
  await theirs.goto(`${demo.portal}/connect`);
  await goThroughPopup(theirs);
  await expectAttempt(theirs, 'done');

  await page.goto(`${demo.portal}/backoffice/customers?q=harbour`);
  await page.getByRole('link', { name: 'Harbour Bakery' }).click();
  const address = page.url();
  await page.getByText('customer@demo.localhost').waitFor();
  await page.getByText('Webhooks on').waitFor();
  await assertFine(page, 'a customer');

  await page.getByRole('button', { name: 'Suspend Harbour Bakery' }).click();
  await status(page, 'Harbour Bakery is suspended');
  await assertFine(page, 'a suspended customer');
  await theirs.goto(`${demo.portal}/connections`);
  assert.equal(new URL(theirs.url()).pathname, '/signin');
  await theirs.getByLabel('E-mail', { exact: true }).fill(people.customer.email);
  await theirs.getByLabel('Password', { exact: true }).fill(people.customer.password);
  await theirs.getByRole('button', { name: 'Sign in', exact: true }).click();
  await theirs.getByRole('heading', { name: 'Your company’s access is closed' }).waitFor();
  await assertFine(theirs, 'shut out');
  assert.equal((await sandbox.state()).wabas[0].subscribed, true, 'Meta still sends their messages');
  await page.getByRole('button', { name: 'End suspension' }).click();
  await status(page, 'Harbour Bakery is let in again');
  await signIn(theirs, demo.portal, people.customer);

  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const download = await coming;
  assert.match(download.suggestedFilename(), /^customer-[0-9a-f-]+\.json$/);
  const told = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(told.members[0].email, 'customer@demo.localhost');
  assert.equal(told.connections.length, 1);
  assert.match(told.sessions[0].device, /Chrome/);

  await page.getByRole('link', { name: /^Remove/ }).click();
  await assertFine(page, 'removing a member');
  await page.getByRole('link', { name: 'Keep them' }).click();
  await page.getByRole('heading', { level: 1, name: 'Maria Lopes' }).waitFor();
  await assertFine(page, 'one person');
  await page.getByRole('main').getByRole('link', { name: 'Harbour Bakery' }).first().click();
  await page.getByRole('link', { name: 'Delete Harbour Bakery' }).click();
  await assertFine(page, 'deleting');
  await page.getByLabel('Type Harbour Bakery to delete it').fill('harbour');
  await page.getByRole('button', { name: 'Delete Harbour Bakery' }).click();
  await page.locator('.field-error').waitFor();
  assert.match(await page.title(), /^Problem: /);
  await assertFine(page, 'deleting, mistyped');
  await page.getByLabel('Type Harbour Bakery to delete it').fill('Harbour Bakery');
  await page.getByRole('button', { name: 'Delete Harbour Bakery' }).click();
  await page.waitForURL(address);
  const end = Date.now() + 20_000;
  while ((await page.goto(address)).status() !== 404) {
    assert.ok(Date.now() < end, 'the customer stays');
    await page.waitForTimeout(200);
  }
  assert.equal((await sandbox.state()).wabas[0].subscribed, false);
  await theirs.goto(`${demo.portal}/connections`);
  assert.equal(new URL(theirs.url()).pathname, '/signin');
  await page.goto(`${demo.portal}/backoffice/customers`);
  await page.getByRole('heading', { name: 'No customer yet' }).waitFor();
  await assertFine(page, 'the empty list');
  await member.context.close();
}, { person: people.admin, allow: [/status of (422|403|404)/] });
