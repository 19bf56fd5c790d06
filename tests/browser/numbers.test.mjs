// A number from pending to registered: through a wrong PIN, and a display name that Meta still looks at.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { goThroughPopup } from './support/popup.mjs';

const password = 'doorway-demo';
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function numbers(name, steps, options) {
  test(name, { timeout: 180_000 }, () => journey(browser, name, steps, options));
}

/** Connects in the popup, and opens the number's page from the connection's. */
async function openNumber(page, demo, sandbox, scenarios) {
  await sandbox.play(scenarios);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  await page.goto(`${demo.portal}/connections`);
  await page.locator('main a[href^="/connections/"]').first().click();
  await looksRight(page, 'connection with a number');
  await page.locator('h3.number a').first().click();
  await page.waitForURL(/\/numbers\/\d+$/);
}

async function wizardSays(page, words) {
  await page.locator('.notice-title', { hasText: words }).waitFor({ timeout: 40_000 });
}

numbers('from pending to registered, through a name that is not ready and a wrong PIN', async ({ page, demo, sandbox }) => {
  await openNumber(page, demo, sandbox, ['pin_set', 'display_name_pending']);
  assert.equal(await page.locator('main').getAttribute('data-registration'), 'name');
  await looksRight(page, 'number not registered');
  await page.getByRole('link', { name: 'Register when Meta is ready' }).click();
  await looksRight(page, 'register');

  await page.getByLabel('The number has a PIN, or I choose one').check();
  await page.getByLabel('PIN, six digits').fill('12345');
  await page.getByRole('button', { name: 'Register the number' }).click();
  assert.match(await page.title(), /^Problem: /);
  assert.equal(await page.getByLabel('PIN, six digits').inputValue(), '12345', 'what was typed stays');

  await page.getByLabel('PIN, six digits').fill('111111');
  await page.getByRole('button', { name: 'Register the number' }).click();
  await wizardSays(page, 'Meta is checking the display name');
  const tries = async () => (await sandbox.requests()).filter(({ path }) => path.endsWith('/register')).length;
  assert.equal(await tries(), 0, 'no try is used up for a name that is not ready');
  const decided = { phone_id: (await sandbox.state()).phones.at(-1).id, name_status: 'APPROVED' };
  await fetch(`${demo.sandbox}/_sandbox/phones`, { method: 'POST', body: JSON.stringify(decided) });
  // The page goes on by itself as Meta decides.
  await wizardSays(page, 'This is not the number’s PIN');
  assert.equal(await tries(), 1);
  await looksRight(page, 'register wrong PIN');
  assert.match(await page.locator('main').innerText(), /1 of 10 tries/);

  await page.getByRole('button', { name: 'Set a new PIN and register' }).click();
  await wizardSays(page, 'The number is registered');
  await looksRight(page, 'registered');
  await page.getByRole('link', { name: 'Back to the number' }).click();
  assert.equal(await page.locator('main').getAttribute('data-registration'), 'ready');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.locator('.notice-success').waitFor();
  await looksRight(page, 'number ready');

  await page.getByRole('link', { name: 'PIN', exact: true }).click();
  await page.getByLabel(/Your password/).fill('not my password');
  await page.getByRole('button', { name: 'Show the PIN' }).click();
  await page.getByText('This is not your password.').waitFor();
  await looksRight(page, 'PIN');
  await page.getByLabel(/Your password/).fill(password);
  await page.getByRole('button', { name: 'Show the PIN' }).click();
  assert.match(await page.locator('#pin-shown').innerText(), /^\d{6}$/);
}, { allow: [/422/] });

numbers('a display name that is not ready', async ({ page, demo, sandbox }) => {
  await openNumber(page, demo, sandbox, ['display_name_review']);
  await page.locator('main[data-registration]').waitFor();
  if (await page.getByRole('link', { name: 'Register when Meta is ready' }).count()) {
    await page.getByRole('link', { name: 'Register when Meta is ready' }).click();
  } else {
    await page.goto(`${page.url()}/register`);
  }
  await page.getByRole('button', { name: 'Register the number' }).click();
  // The page goes on by itself as Meta decides.
  await wizardSays(page, 'The number is registered');
  const registered = (await sandbox.requests()).filter(({ path }) => path.endsWith('/register'));
  assert.deepEqual(registered.map(({ status }) => status), [200], 'no try was used up while Meta looked');

  await page.getByRole('link', { name: 'Back to the number' }).click();
  await page.getByRole('link', { name: 'Display name' }).click();
  await looksRight(page, 'display name');
  await page.getByLabel('New name').fill('Test');
  await page.getByRole('button', { name: 'Ask Meta for this name' }).click();
  await wizardSays(page, 'Meta is checking the new name');
  await page.goto(`${page.url()}/register`);
  await looksRight(page, 'waiting for the name');
  await wizardSays(page, 'Meta has declined the new name');
  await looksRight(page, 'name declined');
});

numbers('a number of their own, added and confirmed by code', async ({ page, demo, sandbox }) => {
  await sandbox.play('no_number');
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  await page.goto(`${demo.portal}/connections`);
  await page.locator('main a[href^="/connections/"]').first().click();
  await page.getByRole('link', { name: 'Add a number' }).first().click();
  await looksRight(page, 'add a number');
  await page.getByLabel('Number', { exact: true }).fill('+44 20 7946 0958');
  await page.getByLabel('Name that people see').fill('Harbour Bakery');
  await page.getByRole('button', { name: 'Add the number' }).click();
  await page.getByRole('button', { name: 'Send a text message' }).click();
  await looksRight(page, 'enter the code');
  const { phones } = await sandbox.state();
  await page.getByLabel('Code', { exact: true }).fill(phones[0].code);
  await page.getByRole('button', { name: 'Confirm the number' }).click();
  await page.getByRole('button', { name: 'Register the number' }).click();
  await wizardSays(page, 'The number is registered');
});

numbers('shared with the app', async ({ page, demo, sandbox }) => {
  await openNumber(page, demo, sandbox, ['coexistence']);
  await page.getByText('All earlier chats have come.').waitFor({ timeout: 100 }).catch(async () => {
    await page.waitForTimeout(4000);
    await page.reload();
  });
  assert.match(await page.locator('main').innerText(), /All earlier chats have come\./);
  await looksRight(page, 'number shared with the app');
});
