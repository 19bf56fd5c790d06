// A revoked token: the check finds it, the customer connects again by a link, and history stays.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { launch, newContext } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { goThroughPopup, tryOnce, walk } from './support/popup.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

async function control(demo, path, body) {
  const answer = await fetch(`${demo.sandbox}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

async function mainText(page) {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ');
}

/** Opens the connection until it says so: what is done in the background comes a moment later. */
async function until(page, url, pattern) {
  for (let tries = 0; tries < 100; tries += 1) {
    await page.goto(url);
    if (pattern.test(await mainText(page))) return;
    await page.waitForTimeout(200);
  }
  assert.match(await mainText(page), pattern);
}

/** Walks Facebook's window with these choices: patterns of the radio to take on the screens of portfolio and account. */
async function choosing(popup, portfolio, account) {
  await walk(popup, {
    onScreen: async ({ popup: screen, heading }) => {
      const wanted = /portfolio/i.test(heading) ? portfolio : /WhatsApp Business account/i.test(heading) ? account : null;
      if (wanted) await screen.getByRole('radio', { name: wanted }).first().check();
    },
  });
}

test('a revoked token is found, and the connection connected again by link', { timeout: 240_000 }, () => journey(browser, 'permissions', async ({ page, demo, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  await page.getByRole('link', { name: 'See your connection' }).click();
  await page.waitForURL(/\/connections\/[0-9a-f-]{36}$/);
  const connection = page.url();
  const id = connection.split('/').at(-1);
  // A name without a space in it fits every page that has it.
  await page.getByLabel('Name', { exact: true }).fill('x'.repeat(80));
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByText('The name is saved.').waitFor();
  await looksRight(page, 'long name');
  for (const [path, what] of [['/permissions', 'permissions'], ['/templates', 'templates'], ['/disconnect', 'disconnect'], ['/reconnect', 'reconnect']]) {
    await page.goto(`${connection}${path}`);
    await looksRight(page, `long name ${what}`);
  }
  await page.goto(`${demo.portal}/connections`);
  await looksRight(page, 'long name list');
  await page.goto(connection);
  await page.locator('h3.number a').first().click();
  await looksRight(page, 'long name number');
  await page.goto(connection);
  await page.getByLabel('Name', { exact: true }).fill('Our shop');
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByRole('button', { name: 'Refresh permissions' }).click();
  await page.waitForURL(/\/permissions\/[0-9a-f-]{36}$/);
  assert.match(await mainText(page), /All permissions are in place/);
  await looksRight(page, 'permissions in place');

  // The grant is removed at Meta. Its webhook has the access looked into in the background.
  const { wabas } = await sandbox.state();
  const [waba_id, account] = [wabas.at(-1).id, wabas.at(-1).name];
  await control(demo, 'tokens/revoke', { waba_id });
  await control(demo, 'webhooks', { kind: 'partner_app_uninstalled', waba_id });
  await until(page, connection, /Access ended/);
  assert.match(await mainText(page), /Facebook ended our access[\s\S]*Your numbers/);
  await looksRight(page, 'connection ended');
  await page.goto(`${connection}/permissions`);
  assert.match(await mainText(page), /The access ended\./);
  await looksRight(page, 'permissions ended');

  // Support sees before and after, and makes a link.
  const staff = await newContext(browser);
  const desk = await staff.context.newPage();
  await signIn(desk, demo.portal, people.support);
  await desk.goto(`${demo.portal}/support/connections/${id}/permissions`);
  await desk.getByRole('button', { name: 'Refresh permissions' }).click();
  await desk.waitForURL(/\/permissions\/[0-9a-f-]{36}$/);
  assert.match(await mainText(desk), /The access has ended: connect again/);
  assert.match(await mainText(desk), /admin of the business/);
  await looksRight(desk, 'permissions before and after');
  await desk.getByRole('link', { name: 'Reconnect link' }).click();
  await desk.getByRole('button', { name: 'Make a link to copy' }).click();
  await desk.waitForURL(/\/links\/[0-9a-f-]{36}$/);
  const link = await desk.locator('section[aria-labelledby="link"] code').innerText();
  await looksRight(desk, 'reconnect link');

  // The customer follows it. Another account replaces nothing.
  await page.goto(link);
  assert.match(await mainText(page), /Connect Our shop again/);
  await looksRight(page, 'reconnect');
  await tryOnce(page, (popup) => choosing(popup, /^Create a new/, /^Create a new/));
  await expectAttempt(page, 'choose');
  assert.match(await mainText(page), /is as it was before/);
  await looksRight(page, 'another account');
  await page.getByRole('link', { name: 'Choose the same account' }).click();
  await page.waitForURL(/\/reconnect$/);

  // The same account: by the link, which is good still.
  await page.goto(link);
  await tryOnce(page, (popup) => choosing(popup, new RegExp(`^${account}`), new RegExp(`^${account}`)));
  await expectAttempt(page, 'done');
  await page.goto(connection);
  assert.match(await mainText(page), /Our shop/);
  assert.match(await mainText(page), /Connected/);
  assert.equal(await page.getByText('Access ended').count(), 0);
  await page.goto(`${connection}/permissions`);
  const history = await mainText(page);
  assert.match(history, /Connected again\./);
  assert.match(history, /The access ended\./, 'history stays');
  await page.goto(link);
  assert.match(await mainText(page), /used already/);
  await looksRight(page, 'link used');

  // Support reads how it went, without leaving the customer's page far behind.
  await desk.goto(`${demo.portal}/support?q=harbour`);
  await desk.getByRole('link', { name: 'Harbour Bakery', exact: true }).first().click();
  await desk.waitForURL(/\/support\/customers\/[0-9a-f-]{36}$/);
  assert.match(await mainText(desk), /What happened last[\s\S]*The whole timeline/);
  assert.match(await mainText(desk), /Limit in 24 hours[\s\S]*Templates/);
  await looksRight(desk, 'a customer for support');
  await desk.getByRole('link', { name: 'The whole timeline' }).click();
  await desk.waitForURL(/\/timeline$/);
  const story = await mainText(desk);
  assert.match(story, /Tried to connect again by Facebook’s window: it worked\./);
  assert.match(story, /Permissions of Our shop: The access ended\./);
  assert.match(story, /Meta refused\./);
  await looksRight(desk, 'timeline');
  await desk.getByLabel('Show', { exact: true }).selectOption({ label: 'Permissions and connections' });
  await desk.getByRole('button', { name: 'Filter', exact: true }).click();
  await desk.waitForURL(/kind=permissions/);
  const rows = desk.locator('tbody tr');
  assert.ok(await rows.count() >= 3);
  assert.equal(await rows.count(), await desk.locator('tbody tr[data-kind="permissions"]').count());
  const ended = rows.filter({ hasText: 'The access ended.' }).last();
  await ended.locator('summary').click();
  assert.match(await ended.innerText(), /Code 190/);
  await desk.goto(`${demo.portal}/support`);
  await looksRight(desk, 'support');
  await staff.context.close();
}, { allow: [/410/, /Gone/] }));
