// A customer connects WhatsApp, through the popup, in each way it can go.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { launch, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { cancel, closeWindow, facebookButton, goThroughPopup, openPopup, walk } from './support/popup.mjs';
import { scenario } from './support/sandbox.mjs';

const attemptPath = /^\/connect\/attempts\/[0-9a-f-]{36}$/;
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function signup(name, steps, options) {
  test(name, { timeout: 120_000 }, () => journey(browser, name, steps, options));
}

/** Where each connection of the signed-in customer leads, from the list of them. */
async function connections(page, demo) {
  await page.goto(`${demo.portal}/connections`);
  const links = await page.locator('main a[href^="/connections/"]').evaluateAll((all) => all.map((a) => new URL(a.href).pathname));
  return [...new Set(links.filter((path) => /^\/connections\/[0-9a-f-]{36}$/.test(path)))];
}

async function assertConnected(page, demo, count) {
  const paths = await connections(page, demo);
  assert.equal(paths.length, count, `connections: ${paths}`);
  for (const path of paths) {
    await page.goto(demo.portal + path);
    assert.match(await page.locator('main').innerText(), /\+\d[\d ()-]{6,}/, 'the connected page shows its number');
  }
}

/** The button that tries again, under whichever of its two names. */
function again(page) {
  return page.getByRole('button', { name: 'Try again', exact: true }).or(facebookButton(page)).first();
}

signup('success with one number', async ({ page, demo, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');

  const address = new URL(page.url());
  assert.match(address.pathname, attemptPath);
  await page.reload();
  await expectAttempt(page, 'done');
  assert.equal(page.url(), address.href, 'the attempt keeps its address');
  await assertConnected(page, demo, 1);

  const calls = await sandbox.requests();
  const exchange = calls.filter(({ path }) => path.endsWith('/oauth/access_token'));
  assert.ok(exchange.some(({ method }) => method === 'POST'), 'the code is exchanged by form POST');
  const subscribed = calls.filter(({ method, path, status }) => method === 'POST' && path.endsWith('/subscribed_apps') && status === 200);
  assert.equal(subscribed.length, 1, 'the WABA is subscribed once');
  for (const { path, query } of calls) {
    const names = [...new URLSearchParams(query ?? '').keys()];
    const secret = names.filter((key) => ['access_token', 'client_secret', 'code', 'fb_exchange_token'].includes(key));
    assert.deepEqual(secret, [], `secrets in the URL of ${path}`);
  }
});

signup('success on a phone, in German and dark', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  await assertConnected(page, demo, 1);
}, { viewport: phone, colorScheme: 'dark', locale: 'de-DE' });

signup('several accounts', async ({ page, demo, sandbox }) => {
  await sandbox.play(scenario.severalAccounts);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'choose');

  const boxes = page.getByRole('checkbox');
  const count = await boxes.count();
  assert.ok(count >= 2, `${count} accounts to choose from`);
  const preselected = await boxes.evaluateAll((all) => all.filter((box) => box.checked).length);
  assert.equal(preselected, 1, "the event's account is preselected");
  for (let i = 0; i < count; i += 1) await boxes.nth(i).check();
  await page.getByRole('button', { name: 'Connect selected', exact: true }).click();
  await expectDone(page);
  // One grant is one connection, with all its accounts on its page.
  await assertConnected(page, demo, 1);
  assert.equal(await page.getByRole('heading', { level: 2 }).filter({ hasNotText: /next|Name of|Permissions/ }).count(), count);

  // Once more: what is connected is marked, and connecting it again adds nothing.
  await sandbox.play(scenario.severalAccounts);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'choose');
  assert.match(await page.locator('main').innerText(), /already connected/i);
});

/** After *Connect selected* the page still says `choose` for a moment. */
async function expectDone(page) {
  await page.locator('main:not([data-attempt="choose"])').waitFor();
  await expectAttempt(page, 'done');
}

signup('cancel then retry', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 3 });
  await cancel(popup);
  const reason = await expectAttempt(page, 'failed');
  assert.ok(reason, 'a failure names its reason');
  assert.equal(await page.locator('main').getByRole('heading', { level: 1 }).count(), 1);

  await goThroughPopup(page, { button: again(page) });
  await page.locator('main:not([data-attempt="failed"])').waitFor();
  await expectAttempt(page, 'done');
  await assertConnected(page, demo, 1);
});

signup('window closed then retry', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 2 });
  await closeWindow(popup);
  await expectAttempt(page, 'failed');
  await goThroughPopup(page, { button: again(page) });
  await page.locator('main:not([data-attempt="failed"])').waitFor();
  await expectAttempt(page, 'done');
});

signup('event lost: the code alone is enough', async ({ page, demo, sandbox }) => {
  await sandbox.play(scenario.eventLost);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  await assertConnected(page, demo, 1);
});

signup('code lost: recovered through PARTNER_ADDED', async ({ page, demo, sandbox }) => {
  await sandbox.play(scenario.codeLost);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done', { timeout: 60_000 });
  await assertConnected(page, demo, 1);
  const calls = await sandbox.requests();
  assert.ok(calls.some(({ path, status }) => path.endsWith('/system_user_access_tokens') && status === 200), 'the token came by the system token');
});

signup('permissions dropped', async ({ page, demo, sandbox }) => {
  await sandbox.play(scenario.staleGrant);
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  const reason = await expectAttempt(page, 'failed');
  assert.ok(reason, 'a failure names its reason');
  assert.match(await page.locator('main').innerText(), /Business integrations/, 'the cure is named');
  const attempt = page.url();
  assert.deepEqual(await connections(page, demo), []);
  await page.goto(attempt);

  await goThroughPopup(page, { button: again(page) });
  await page.locator('main:not([data-attempt="failed"])').waitFor();
  await expectAttempt(page, 'done');
  await assertConnected(page, demo, 1);
});

signup('killed and started again while the attempt is open', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 3 });
  await demo.kill();
  await demo.restart();
  await walk(popup);
  await expectAttempt(page, 'done', { timeout: 60_000 });
  await assertConnected(page, demo, 1);
}, { allow: [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/] });
