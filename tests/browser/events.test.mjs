// Message events: whose count, and those that come late.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { openPopup, tryOnce, walk } from './support/popup.mjs';
import { scenario } from './support/sandbox.mjs';

let browser;
let stranger;
let strangerOrigin;
before(async () => {
  browser = await launch();
  // On the sandbox's own host, with another port: another origin all the same.
  stranger = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>stranger</title>'));
  await once(stranger.listen(0, '127.0.0.1'), 'listening');
  strangerOrigin = `http://127.0.0.1:${stranger.address().port}`;
});
after(async () => {
  await browser?.close();
  stranger?.close();
});

function events(name, steps, options) {
  test(name, { timeout: 120_000 }, () => journey(browser, name, steps, options));
}

const message = (event, data) => JSON.stringify({ type: 'WA_EMBEDDED_SIGNUP', event, data, version: 3 });
const cancelled = (step) => message('CANCEL', { current_step: step });

/** Opens a window of `origin` from `page`, and has it post `data` to its opener, as Facebook's window does. */
async function postFrom(page, origin, data) {
  const [window_] = await Promise.all([page.waitForEvent('popup'), page.evaluate((url) => { window.open(url, 'late'); }, `${origin}/`)]);
  await window_.waitForLoadState();
  const target = new URL(page.url()).origin;
  await window_.evaluate(([text, to]) => { window.opener.postMessage(text, to); }, [data, target]);
  await window_.close();
}

/** What the page brought to the portal as events, from now on. */
function brought(page) {
  const all = [];
  page.on('request', (request) => { if (request.url().endsWith('/event')) all.push(request.postDataJSON()); });
  return all;
}

events('events of other origins do not count', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  const all = brought(page);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 3 });
  const invented = [cancelled('PERMISSIONS'), message('FINISH', { waba_id: '1', phone_number_id: '2', business_id: '3' })];
  for (const data of invented) {
    await postFrom(page, strangerOrigin, data);
    // What the page's own origin says is not Facebook's either.
    await page.evaluate((text) => window.postMessage(text, '*'), data);
  }
  // And what is Facebook's, but no event of Embedded Signup.
  await postFrom(page, demo.sandbox, 'cb=f1&code=x');
  await postFrom(page, demo.sandbox, JSON.stringify({ type: 'OTHER', event: 'FINISH' }));
  await walk(popup);
  await expectAttempt(page, 'done');
  assert.deepEqual(all.map(({ event }) => event), ['FINISH'], 'the one event that was Facebook’s');

  const done = page.url();
  await postFrom(page, demo.sandbox, cancelled('PERMISSIONS'));
  await page.reload();
  assert.equal(page.url(), done);
  await expectAttempt(page, 'done');
});

events('an event that comes when the attempt’s page is open', async ({ page, demo, sandbox }) => {
  await sandbox.play(['cancel:PHONE_NUMBER_SETUP', scenario.eventLost]);
  await page.goto(`${demo.portal}/connect`);
  await tryOnce(page);
  await expectFailure(page, 'cancelled', { title: /closed the Facebook window/ });
  const attempt = page.url();
  await postFrom(page, strangerOrigin, cancelled('PHONE_NUMBER_SETUP'));
  await page.waitForTimeout(500);
  assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /closed the Facebook window/, 'a stranger’s does not count');

  await postFrom(page, demo.sandbox, cancelled('PHONE_NUMBER_SETUP'));
  await page.getByRole('heading', { level: 1, name: 'You stopped before adding a number' }).waitFor();
  assert.equal(page.url(), attempt);
  await expectFailure(page, 'cancelled', { title: /before adding a number/ });
});

events('an event that comes while the customer chooses', async ({ page, demo, sandbox }) => {
  await sandbox.play([scenario.severalAccounts, scenario.eventLost]);
  await page.goto(`${demo.portal}/connect`);
  await tryOnce(page);
  await expectAttempt(page, 'choose');
  assert.equal(await page.getByRole('checkbox', { checked: true }).count(), 0, 'nothing tells which one');
  const [, chosen] = (await sandbox.state()).wabas;
  const answered = page.waitForResponse((response) => response.url().endsWith('/event'));
  await postFrom(page, demo.sandbox, message('FINISH', { waba_id: chosen.id }));
  assert.equal((await answered).status(), 204);
  await page.reload();
  const preselected = page.getByRole('checkbox', { checked: true });
  assert.equal(await preselected.count(), 1, 'the event’s account is preselected');
  assert.equal(await preselected.getAttribute('value'), chosen.id);
});

events('an event that proves nothing connects nothing', async ({ page, demo, sandbox }) => {
  // Somebody else's account, named by an event: the token does not open it, so it is not offered.
  const other = await sandbox.signUp();
  await page.goto(`${demo.portal}/connect`);
  const popup = await openPopup(page);
  await walk(popup, { stopAt: 3 });
  await postFrom(page, demo.sandbox, message('FINISH', { waba_id: other.waba_ids[0], business_id: other.business_id }));
  await walk(popup);
  await expectAttempt(page, 'done');
  const { wabas } = await sandbox.state();
  assert.equal(wabas.length, 2);
  assert.equal(wabas.find(({ id }) => id === other.waba_ids[0]).subscribed, false, 'the named account is left alone');
});
