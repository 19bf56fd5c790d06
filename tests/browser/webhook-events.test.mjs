// What comes from WhatsApp is seen as it comes, and so is what becomes of it on its way to the customer's own server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { desktop, launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { tryOnce } from './support/popup.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A customer's server that answers as it is told. */
async function receiver(status) {
  const got = [];
  const self = { status, got };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => { body += piece; });
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(body) });
      response.writeHead(self.status, { 'content-type': 'text/plain' }).end(self.status === 200 ? 'thanks' : 'the shelf is full');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  self.url = `http://127.0.0.1:${server.address().port}/hook`;
  self.close = () => server.close();
  return self;
}

/** A connected number, and how Meta would tell of what happens at it. */
async function connected(page, demo, sandbox) {
  await page.goto(`${demo.portal}/connect`);
  await tryOnce(page);
  await expectAttempt(page, 'done');
  const state = await sandbox.state();
  const number = state.phones.find((one) => state.wabas.some((waba) => waba.id === one.waba_id && waba.subscribed));
  const send = (changes) => fetch(`${demo.sandbox}/_sandbox/webhooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ raw: { object: 'whatsapp_business_account', entry: [{ id: number.waba_id, time: 1_700_000_000, changes }] } }),
  }).then((response) => assert.ok(response.ok, `${response.status}`));
  const change = (value) => ({ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550001234', phone_number_id: number.id }, ...value } });
  const text = (id, name, from, body = 'Hello') => change({
    contacts: [{ profile: { name }, wa_id: from }],
    messages: [{ from, id, timestamp: '1700000000', type: 'text', text: { body } }],
  });
  const failed = (id, to) => change({ statuses: [{ id, status: 'failed', timestamp: '1700000000', recipient_id: to, errors: [{ code: 131026, title: 'Message undeliverable' }] }] });
  return { send, text, failed };
}

const row = (page, words) => page.locator('#events tr').filter({ hasText: words });

test('events appear on the open page, a failing endpoint is seen, recovers, and gets them again', { timeout: 180_000 }, () => journey(browser, 'webhook events', async ({ page, context, demo, sandbox }) => {
  await page.goto(`${demo.portal}/events`);
  await page.getByRole('heading', { name: 'No events yet' }).waitFor();
  await looksRight(page, 'no events');
  const { send, text, failed } = await connected(page, demo, sandbox);
  const till = await receiver(500);
  try {
    await page.goto(`${demo.portal}/settings/endpoints/new`);
    await page.getByLabel('Name', { exact: true }).fill('Till');
    await page.getByLabel('Address', { exact: true }).fill(till.url);
    await page.locator('#format-events').check();
    await page.getByRole('button', { name: 'Make endpoint', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'The endpoint is made.' }).first().waitFor();

    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Events', exact: true }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    // Live, without reloading: the first event of an empty list, and what becomes of it.
    await page.evaluate(() => { window.stays = true; });
    await send([text('wamid.ana', 'Ana Ortiz', '16505551234')]);
    await row(page, 'Ana Ortiz').getByText('Retrying', { exact: true }).waitFor({ timeout: 20_000 });
    assert.equal(await page.evaluate(() => window.stays), true, 'the page was not loaded anew');
    assert.match(await page.locator('#news').textContent(), /new event/);
    await send([failed('wamid.out', '16505559999'), text('wamid.ben', 'Ben Falk', '16505557777')]);
    await row(page, 'Message undeliverable (131026)').waitFor({ timeout: 20_000 });
    await row(page, 'Ben Falk').waitFor();
    await looksRight(page, 'events');

    // A paused page stays as it is, and then takes up what it missed.
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await send([text('wamid.cleo', 'Cleo Hart', '16505556666')]);
    await page.waitForTimeout(3_000);
    assert.equal(await row(page, 'Cleo Hart').count(), 0);
    await page.getByRole('button', { name: 'Go on', exact: true }).click();
    await row(page, 'Cleo Hart').waitFor({ timeout: 20_000 });

    // The one event says why.
    await row(page, 'Ana Ortiz').getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Message received: Text' }).waitFor();
    await page.getByText('Status 500', { exact: true }).first().waitFor();
    await page.getByText('the shelf is full').first().waitFor();
    assert.match(await page.locator('.json').innerText(), /"body": "Hello"/);
    await looksRight(page, 'event that fails');

    // The endpoint recovers: sent again, it is delivered.
    till.status = 200;
    await page.getByRole('button', { name: 'Send again', exact: true }).click();
    await page.getByText('It is being sent again.').waitFor();
    await page.waitForTimeout(1_500);
    await page.reload();
    await page.getByText('Status 200', { exact: true }).first().waitFor();
    const again = till.got.filter(({ body }) => JSON.stringify(body).includes('wamid.ana'));
    assert.ok(again.length >= 2, 'the endpoint got it twice');
    await looksRight(page, 'event sent again');

    // A selection is replayed from the list.
    await page.goto(`${demo.portal}/events?kind=messages`);
    const before = till.got.length;
    await row(page, 'Ben Falk').getByRole('checkbox').check();
    await row(page, 'Cleo Hart').getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Send selected again', exact: true }).click();
    await page.getByText('2 calls are being made again.').waitFor();
    await row(page, 'Ben Falk').getByText('Delivered', { exact: true }).waitFor({ timeout: 20_000 });
    await row(page, 'Cleo Hart').getByText('Delivered', { exact: true }).waitFor({ timeout: 20_000 });
    assert.ok(till.got.length >= before + 2);
    assert.equal(new URL(page.url()).search, '?kind=messages', 'the filters stay');

    // Filters stand in the address and narrow the list.
    await page.getByLabel('Message ID or contact’s number').fill('+1 650-555-7777');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await row(page, 'Ben Falk').waitFor();
    assert.equal(await page.locator('#events tr').count(), 1);
    await page.goto(`${demo.portal}/events?kind=statuses`);
    await row(page, 'Failed').waitFor();
    assert.equal(await page.locator('#events tr').count(), 1);
    await page.goto(`${demo.portal}/events?text=nothing-like-it`);
    await page.getByRole('heading', { name: 'Nothing fits these filters' }).waitFor();

    // All since a time: asked about with count and name.
    await page.goto(`${demo.portal}/events`);
    await page.getByRole('link', { name: 'Send all since …' }).click();
    await looksRight(page, 'send since');
    await page.getByLabel('Since (UTC)').fill('2026-01-01T00:00');
    await page.getByRole('button', { name: 'Go on', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: /^Send \d+ events again to Till\?$/ }).waitFor();
    await looksRight(page, 'send since asked');
    const total = till.got.length;
    await page.getByRole('button', { name: 'Send them again', exact: true }).click();
    await page.getByText('The events are being sent again.').waitFor();
    await assert.doesNotReject(async () => {
      for (let tries = 0; till.got.length < total + 4; tries += 1) {
        if (tries > 100) throw new Error(`the endpoint got ${till.got.length - total} more`);
        await page.waitForTimeout(100);
      }
    });

    // The numbers behind the charts.
    await page.goto(`${demo.portal}/events?range=hour`);
    await page.getByRole('img', { name: /^Events, .* at most \d+/ }).waitFor();
    await looksRight(page, 'charts');

    // Staff see whose it is.
    const staff = await browser.newContext({ viewport: desktop, locale: 'en-US' });
    const theirs = await staff.newPage();
    await signIn(theirs, demo.portal, people.support);
    await theirs.goto(`${demo.portal}/events`);
    await row(theirs, 'Ana Ortiz').getByText('Harbour Bakery').waitFor();
    await looksRight(theirs, 'events for staff');
    await theirs.getByLabel('Customer, name or ID').fill('Nowhere Inc');
    await theirs.getByRole('button', { name: 'Filter', exact: true }).click();
    await theirs.getByText('No customer fits “Nowhere Inc”.').waitFor();
    await staff.close();

    // Without a script the list is there all the same.
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
    const still = await plain.newPage();
    await still.goto(`${demo.portal}/events`);
    await row(still, 'Ana Ortiz').waitFor();
    assert.ok(!(await still.getByRole('button', { name: 'Pause', exact: true }).isVisible()));
    await plain.close();
  } finally {
    till.close();
  }
}));
