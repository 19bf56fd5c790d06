// Two customers, one account: refused kindly, released by support, connected. And a connection's own life.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { launch, newContext } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { tryOnce, walk } from './support/popup.mjs';
import { Run } from './support/process.mjs';
import { people, signIn } from './support/signin.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function tenants(name, steps, options) {
  test(name, { timeout: 120_000 }, () => journey(browser, name, steps, options));
}

async function mainText(page) {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ');
}

async function connect(page, demo) {
  await page.goto(`${demo.portal}/connect`);
  await tryOnce(page);
  await expectAttempt(page, 'done');
  await page.getByRole('link', { name: 'See your connection', exact: true }).click();
  await page.locator('main[data-connection]').waitFor();
  return page.url();
}

/** A person of another company, created while the demo runs, in a browser of their own. */
async function second(demo, steps) {
  const person = { email: 'tomas@mill.example', password: 'a long enough password' };
  await new Run(['user', 'create', person.email, '--role', 'customer', '--company', 'Mill & Sons'], {
    env: { DOORWAY_DATABASE_URL: demo.database }, input: `${person.password}\n`,
  }).done();
  await asPerson(demo, person, steps);
}

/** `steps` in a context of its own, held to a quiet console as well. */
async function asPerson(demo, person, steps, { allow = [] } = {}) {
  const { context, faults } = await newContext(browser);
  try {
    const page = await context.newPage();
    await signIn(page, demo.portal, person);
    await steps(page);
    faults.assertNone({ allow: [...allow, /status of 404/] });
  } finally {
    await context.close();
  }
}

/** The first company's portfolio, and the account in it. */
async function takeTheirs(page) {
  await tryOnce(page, async (popup) => {
    await walk(popup, {
      onScreen: async ({ popup: screen, heading }) => {
        if (/portfolio/.test(heading)) await screen.getByRole('radio', { name: /^Harbour Bakery/ }).check();
        if (/WhatsApp Business account/.test(heading)) await screen.getByRole('radio', { name: /^Harbour Bakery/ }).check();
      },
    });
  });
}

tenants('claimed by another company, released, connected', async ({ page, demo, sandbox }) => {
  const first = await connect(page, demo);
  const attempt = new URL(await page.goBack().then(() => page.url())).pathname;
  const [{ id: waba }] = (await sandbox.state()).wabas;

  await second(demo, async (other) => {
    // Nobody sees another's data, nor that it is there.
    for (const address of [first, `${first}/disconnect`, demo.portal + attempt, `${demo.portal}/support`, `${demo.portal}/support/wabas/${waba}/release`]) {
      const response = await other.goto(address);
      assert.equal(response.status(), 404, address);
      assert.doesNotMatch(await mainText(other), /Harbour|\+1/);
    }

    await other.goto(`${demo.portal}/connect`);
    await takeTheirs(other);
    await expectFailure(other, 'claimed', { title: /connected by another company/ });
    const text = await mainText(other);
    assert.match(text, /They can release it/);
    assert.doesNotMatch(text, /Harbour/, 'it does not say whose it is');
    assert.equal((await sandbox.state()).wabas.length, 1);
    await page.goto(first);
    assert.match(await mainText(page), /Harbour Bakery/, 'the first one keeps it');

    await asPerson(demo, people.support, async (support) => {
      await support.getByLabel('Search', { exact: true }).fill('harb');
      await support.getByRole('button', { name: 'Search', exact: true }).click();
      await support.getByRole('link', { name: 'Harbour Bakery', exact: true }).click();
      await support.getByRole('link', { name: 'Release Harbour Bakery', exact: true }).click();
      assert.match(await mainText(support), /Harbour Bakery loses it here/, 'it asks first');
      await support.getByRole('button', { name: `Release ${waba}`, exact: true }).click();
      await support.getByRole('status').filter({ hasText: 'is released' }).waitFor();
    });

    await takeTheirs(other);
    await expectAttempt(other, 'done');
    await other.goto(`${demo.portal}/connections`);
    assert.equal(await other.locator('tbody tr').count(), 1);
    assert.match(await mainText(other), /\+1/, 'with its number');
  });

  await page.goto(`${demo.portal}/connections`);
  assert.doesNotMatch(await mainText(page), /\+1/, 'the first one’s list no longer shows its number');
  assert.equal((await sandbox.state()).wabas[0].subscribed, true, 'and Meta still sends its messages');
});

tenants('a connection gets another name', async ({ page, demo }) => {
  const address = await connect(page, demo);
  const field = page.getByLabel('Name', { exact: true });
  await field.fill('   ');
  await page.getByRole('button', { name: 'Save name', exact: true }).click();
  const error = page.locator('.field-error');
  await error.waitFor();
  assert.match(await error.innerText(), /1 to 80 characters/);
  assert.equal(await field.inputValue(), '   ', 'what was typed is kept');
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.ok((await field.getAttribute('aria-describedby')).split(' ').includes(await error.getAttribute('id')));
  assert.match(await page.title(), /^Problem: /);

  await field.fill('Front desk <b>');
  await page.getByRole('button', { name: 'Save name', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'The name is saved.' }).waitFor();
  assert.equal(page.url(), address);
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Front desk <b>');
  await page.reload();
  assert.equal(await page.getByRole('status').count(), 0, 'said once');
  await page.goto(`${demo.portal}/connections`);
  await page.getByRole('link', { name: 'Front desk <b>', exact: true }).waitFor();
}, { allow: [/status of 422/] });

tenants('disconnecting asks first, and does it', async ({ page, demo, sandbox }) => {
  const address = await connect(page, demo);
  const number = await page.locator('main .number').innerText();
  assert.equal((await sandbox.state()).wabas[0].subscribed, true);
  await page.getByRole('link', { name: /^Disconnect / }).click();
  const text = await mainText(page);
  assert.ok(text.includes(`no longer receives messages sent to ${number}`), text);
  await page.getByRole('link', { name: 'Keep it', exact: true }).click();
  assert.equal(page.url(), address);
  assert.equal((await sandbox.state()).wabas[0].subscribed, true, 'asking does nothing');

  await page.getByRole('link', { name: /^Disconnect / }).click();
  await page.getByRole('button', { name: /^Disconnect / }).click();
  await page.getByRole('status').filter({ hasText: 'is being disconnected' }).waitFor();
  const end = Date.now() + 10_000;
  while ((await sandbox.state()).wabas[0].subscribed) {
    assert.ok(Date.now() < end, 'the subscription stays at Meta');
    await page.waitForTimeout(100);
  }
  // Meta is told first, then it is gone here.
  await page.goto(`${demo.portal}/connections`);
  while (!/No WhatsApp number is connected yet/.test(await mainText(page))) {
    assert.ok(Date.now() < end, await mainText(page));
    await page.reload();
  }
  assert.equal((await page.goto(address)).status(), 404);
  // And again: nothing stands in the way.
  await connect(page, demo);
  assert.equal((await sandbox.state()).wabas[0].subscribed, true);
}, { allow: [/status of 404/] });
