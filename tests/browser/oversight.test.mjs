// What an admin oversees: the funnel after some attempts, the audit log of it, and the people.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { closeWindow, tryOnce } from './support/popup.mjs';
import { scenario } from './support/sandbox.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

async function mainText(page) {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ');
}

/** As somebody else, in a browser of their own that must stay quiet. */
async function as(demo, person, steps, { allow = [] } = {}) {
  const { context, faults } = await newContext(browser, { acceptDownloads: true });
  try {
    const page = await context.newPage();
    await signIn(page, demo.portal, person);
    await steps(page);
    faults.assertNone({ allow });
  } finally {
    await context.close();
  }
}

/** No axe violation and no scrolling sideways, at both widths and in both themes. */
async function looksRight(page, name) {
  const before = page.viewportSize();
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide at ${viewport.width} px`);
    await assertAccessible(page, name);
  }
  await page.setViewportSize(before);
}

test('an admin sees where customers leave, who did what, and who is here', { timeout: 180_000 }, () => journey(browser, 'oversight', async ({ page, demo, sandbox }) => {
  // Three who leave, one whose code comes too late, one who gets through.
  await page.goto(`${demo.portal}/connect`);
  for (const step of ['PERMISSIONS', 'PERMISSIONS', 'PHONE_NUMBER_SETUP']) {
    await sandbox.play(scenario.cancelAt(step));
    await tryOnce(page);
    await expectFailure(page, 'cancelled');
  }
  await tryOnce(page, closeWindow);
  await expectFailure(page, 'cancelled');
  await sandbox.play('code_expired_now');
  await tryOnce(page);
  await expectFailure(page, 'code_expired');
  await tryOnce(page);
  await expectAttempt(page, 'done');

  await as(demo, people.admin, async (admin) => {
    await funnel(admin, demo);
    await audit(admin, demo);
    await somebody(admin, demo, page);
  }, { allow: [/status of 422/] });

  await as(demo, people.support, async (support) => {
    for (const path of ['people', 'audit', 'funnel']) {
      assert.equal((await support.goto(`${demo.portal}/backoffice/${path}`)).status(), 404, path);
    }
  }, { allow: [/status of 404/] });
}, { allow: [/status of 400/] }));

async function funnel(page, demo) {
  await page.goto(`${demo.portal}/backoffice/funnel`);
  const text = await mainText(page);
  assert.match(text, /Attempts launched 6 Got a code 2 33 % Connected 1 17 %/);
  assert.match(text, /Customers tried \/ connected 1 \/ 1 100 %/);
  const row = (name) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
  assert.match(await row(/Reviewing the permissions/).innerText(), /PERMISSIONS\s+2 33 %\s+1\s/);
  assert.match(await row(/Adding the phone number/).innerText(), /1 17 %/);
  assert.match(await row(/Closed the window/).innerText(), /1 17 %/);
  assert.match(await row(/The code ran out/).innerText(), /code_expired/);
  const chart = page.getByRole('img', { name: /Attempts per day/ });
  assert.ok((await chart.boundingBox()).height > 100, 'the chart is drawn');
  await page.getByText('The numbers', { exact: true }).click();
  assert.match(await page.getByRole('table', { name: /Attempts per day/ }).innerText(), /6\s+2\s+1/);
  await looksRight(page, 'funnel');
  await page.getByRole('link', { name: '7 days', exact: true }).click();
  assert.equal(await page.getByRole('link', { name: '7 days', exact: true }).getAttribute('aria-current'), 'page');
  await page.getByRole('link', { name: /See them of “Reviewing the permissions/ }).click();
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Reviewing the permissions');
  assert.equal(await page.getByRole('link', { name: 'Harbour Bakery', exact: true }).count(), 2);
  await looksRight(page, 'the list behind the funnel');
}

async function audit(page, demo) {
  await page.getByRole('link', { name: 'Audit log', exact: true }).click();
  const entries = page.locator('tbody tr');
  assert.match(await mainText(page), /Maria Lopes .*Connected WhatsApp/);
  await looksRight(page, 'audit log');
  await page.getByLabel('Action', { exact: true }).selectOption({ label: 'Began to connect WhatsApp' });
  await page.getByLabel('Customer, name or ID', { exact: true }).fill('harbour');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.waitForURL(/action=attempt\.begun/);
  assert.equal(await entries.count(), 6);
  assert.match(await mainText(page), /Only: Customer Harbour Bakery, Action Began to connect WhatsApp/);
  assert.match(await entries.first().innerText(), /Maria Lopes[\s\S]*(127\.0\.0\.1|::1)/);
  await entries.first().locator('summary').click();
  assert.match(await entries.first().innerText(), /attempt\.begun\s+Attempt [0-9a-f-]{36}/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /Download what fits/ }).click()]);
  assert.equal(download.suggestedFilename(), 'audit-log.csv');
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
  assert.equal(lines.length, 7, 'a head and six entries');

  await page.getByLabel('Person, name or e-mail', { exact: true }).fill('nobody at all');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  const error = page.locator('.field-error');
  await error.waitFor();
  assert.match(await error.innerText(), /Nothing fits “nobody at all”/);
  assert.equal(await page.getByLabel('Person, name or e-mail', { exact: true }).inputValue(), 'nobody at all');
  await looksRight(page, 'audit log with a wrong filter');
  await page.getByRole('link', { name: 'Show everything', exact: true }).click();
}

async function somebody(page, demo, customers) {
  await page.getByRole('link', { name: 'People', exact: true }).click();
  const staff = page.getByRole('table', { name: 'Staff', exact: true });
  assert.match(await staff.innerText(), /Ada Admin \(you\)[\s\S]*Sam Support/);
  await looksRight(page, 'people');
  await page.getByLabel('Search', { exact: true }).fill('lopes');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('link', { name: 'Maria Lopes', exact: true }).click();
  assert.match(await mainText(page), /Member of Harbour Bakery/);
  await looksRight(page, 'a member');
  await page.getByRole('button', { name: 'End all sessions', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Maria Lopes is signed out everywhere.' }).waitFor();
  await customers.goto(`${demo.portal}/connections`);
  assert.equal(new URL(customers.url()).pathname, '/signin', 'at once');

  await page.goto(`${demo.portal}/backoffice/people`);
  await staff.getByRole('link', { name: 'Sam Support', exact: true }).click();
  const role = page.getByLabel('Sam Support is', { exact: true });
  await role.selectOption('admin');
  await page.getByRole('button', { name: 'Change role', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Sam Support is an admin now.' }).waitFor();
  assert.match(await mainText(page), /Changed somebody’s role support to admin/);
  await looksRight(page, 'somebody of the staff');
  await role.selectOption('support');
  await page.getByRole('button', { name: 'Change role', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Sam Support is support now.' }).waitFor();
}
