// Facebook's window and the page behind it: what browsers, people and networks do to them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { launch, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { closeWindow, facebookButton, openPopup, tryOnce, walk } from './support/popup.mjs';
import { Serve } from './support/serve.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function window_(name, steps, options) {
  test(name, { timeout: 120_000 }, () => journey(browser, name, steps, options));
}

function notice(page, title) {
  return page.locator('.notice:visible').filter({ hasText: title });
}

async function endsDone(page) {
  await tryOnce(page);
  await expectAttempt(page, 'done');
}

window_('popup blocked: the notice, then it works', async ({ page, demo, context }) => {
  await page.addInitScript(() => {
    const open = window.open;
    window.open = (...args) => (window.unblocked ? open.apply(window, args) : null);
  });
  await page.goto(`${demo.portal}/connect`);
  await facebookButton(page).click();
  await notice(page, 'Your browser stopped the Facebook window').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'status', 'the notice is read out');
  assert.equal(context.pages().length, 1);
  await page.evaluate(() => { window.unblocked = true; });
  await endsDone(page);
}, { viewport: phone, colorScheme: 'dark' });

window_('SDK not loaded: the notice, then Load again', async ({ page, demo, sandbox }) => {
  const script = `${sandbox.origin}/en_US/sdk.js`;
  await page.route(script, (route) => route.abort());
  await page.goto(`${demo.portal}/connect`);
  const shown = notice(page, 'The Facebook button could not be loaded');
  await shown.waitFor();
  assert.match(await shown.innerText(), /ad blocker/);
  assert.ok(!await facebookButton(page).isVisible(), 'no button that does nothing');
  await page.unroute(script);
  await shown.getByRole('link', { name: 'Load again', exact: true }).click();
  await endsDone(page);
}, { allow: [/ERR_FAILED/] });

window_('this site is not allowed to open the window', async ({ page, demo, sandbox }) => {
  for (const [settings, title] of [[{ js_sdk_login: false }, /not toggled/], [{ js_sdk_login: true, allowed_domains: ['elsewhere.example'] }, /Unknown Host/]]) {
    await sandbox.app(settings);
    await page.goto(`${demo.portal}/connect`);
    await tryOnce(page, async (popup) => {
      assert.match(await popup.getByRole('heading', { level: 1 }).innerText(), title);
      await closeWindow(popup);
    });
    await expectFailure(page, 'cancelled', { title: /closed the Facebook window/ });
    assert.match(await page.locator('main').innerText(), /showed an error, write to them/);
  }
}, { allow: [/status of 400/] });

window_('a double click opens one window', async ({ page, demo, context, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  const begun = [];
  page.on('request', (request) => { if (request.url().endsWith('/connect/attempts')) begun.push(request.url()); });
  const opened = page.waitForEvent('popup');
  // In one go: the driver's own second click would go to the window that the first opened.
  await facebookButton(page).evaluate((button) => { button.click(); button.click(); });
  const popup = await opened;
  await notice(page, 'Finish in the Facebook window').waitFor();
  await page.waitForTimeout(500);
  assert.equal(context.pages().length, 2, 'one window');
  assert.equal(begun.length, 1, 'one attempt');
  await walk(popup);
  await expectAttempt(page, 'done');
  assert.equal((await sandbox.state()).wabas.length, 1);
});

window_('two tabs, two attempts', async ({ page, demo, context }) => {
  const other = await context.newPage();
  for (const tab of [page, other]) await tab.goto(`${demo.portal}/connect`);
  const [first, second] = [await openPopup(page), await openPopup(other)];
  await walk(second);
  await expectAttempt(other, 'done');
  await walk(first);
  await expectAttempt(page, 'done');
  assert.notEqual(page.url(), other.url());
});

window_('back to the start page, and once more', async ({ page, demo, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  await endsDone(page);
  await page.goBack();
  assert.equal(new URL(page.url()).pathname, '/connect');
  await endsDone(page);
  await page.goto(`${demo.portal}/connections`);
  assert.equal(await page.locator('tbody tr').count(), 1, 'the same account is connected once');
  assert.equal((await sandbox.state()).wabas.length, 1);
});

window_('signed out while the window is open', async ({ page, demo, context }) => {
  await page.goto(`${demo.portal}/connect`);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 3 });
  await context.clearCookies({ name: 'doorway_session' });
  await walk(popup);
  const shown = notice(page, 'Your answer did not reach us');
  await shown.waitFor();
  assert.match(await shown.innerText(), /You were signed out meanwhile/);
  await shown.getByRole('link', { name: 'Start again', exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/signin');
  await page.getByLabel('E-mail', { exact: true }).fill(people.customer.email);
  await page.getByLabel('Password', { exact: true }).fill(people.customer.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/connect');
  await endsDone(page);
}, { allow: [/status of 40[13]/] });

const nina = { email: 'nina@harbour.example', password: 'a long enough password', role: 'customer', company: 'Harbour Bakery' };
const broken = [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/];

window_('the portal is dead when the code comes', async ({ page, demo }) => {
  await signIn(page, demo.portal, nina);
  await page.goto(`${demo.portal}/connect`);
  // Back in time: the browser tries again by itself.
  let popup = await openPopup(page);
  await walk(popup, { stopAt: /Ready to finish/ });
  await demo.killPortal();
  await walk(popup);
  await notice(page, 'Facebook has answered').waitFor();
  await demo.startPortal();
  await expectAttempt(page, 'done', { timeout: 30_000 });

  // Not back in time: the person is told, and starts again.
  await page.goto(`${demo.portal}/connect`);
  popup = await openPopup(page);
  await walk(popup, { stopAt: /Ready to finish/ });
  await demo.killPortal();
  await walk(popup);
  const shown = notice(page, 'Your answer did not reach us');
  await shown.waitFor({ timeout: 30_000 });
  await demo.startPortal();
  await shown.getByRole('link', { name: 'Start again', exact: true }).click();
  await endsDone(page);
}, { person: null, allow: broken, start: () => Serve.start({ users: [nina] }) });
