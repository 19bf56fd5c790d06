// What Meta tells of an account shows where people look, and a person writes from the sandbox's page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { goThroughPopup } from './support/popup.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

async function post(demo, body) {
  const answer = await fetch(`${demo.sandbox}/_sandbox/webhooks`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

/** Both widths, each theme looked at by axe-core; with DOORWAY_SHOTS a picture of each. */
async function look(page, name) {
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} scrolls sideways at ${viewport.width} px by ${wide}`);
    await assertAccessible(page, name);
    if (!process.env.DOORWAY_SHOTS) continue;
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${process.env.DOORWAY_SHOTS}/${name}-${viewport.width}-${colorScheme}.png`, fullPage: true });
    }
    await page.emulateMedia({ colorScheme: null });
  }
}

test('news of an account, and a person who writes', { timeout: 180_000 }, () => journey(browser, 'news', async ({ page, demo }) => {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  const state = await (await fetch(`${demo.sandbox}/_sandbox/state`)).json();
  const [waba_id, phone_id] = [state.wabas.at(-1).id, state.phones.at(-1).id];
  const expiration = Math.floor(Date.now() / 1000) + 3 * 86_400;
  await post(demo, { kind: 'field', waba_id, field: 'account_update', value: { event: 'ACCOUNT_RESTRICTION',
    restriction_info: [{ restriction_type: 'RESTRICTED_BIZ_INITIATED_MESSAGING', expiration }] } });
  await post(demo, { kind: 'template_status', waba_id, name: 'order_confirmation', status: 'REJECTED', value: { reason: 'INVALID_FORMAT' } });
  await post(demo, { kind: 'field', waba_id, phone_id, field: 'security',
    value: { event: 'PIN_CHANGED', display_phone_number: state.phones.at(-1).display_phone_number } });
  await page.goto(`${demo.portal}/connections`);
  await page.locator('main a[href^="/connections/"]').first().click();
  await page.waitForURL(/\/connections\/[0-9a-f-]{36}$/);
  await page.waitForFunction(() => {
    const there = ['Meta has limited this account', 'was rejected', 'The PIN of a number was changed'];
    const all = there.every((words) => document.body.innerText.includes(words));
    if (!all) setTimeout(() => location.reload(), 300);
    return all;
  }, null, { polling: 500 });
  await look(page, 'connection');

  await page.goto(`${demo.sandbox}/`);
  await page.getByRole('heading', { name: 'Write to this business' }).waitFor();
  await page.getByLabel('Your name').fill('Petra Sommer');
  await page.getByLabel('What', { exact: true }).selectOption('image');
  await page.getByLabel('Words').fill('Have you got this?');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.waitForURL(`${demo.sandbox}/#write`);
  await look(page, 'sandbox');
}));
