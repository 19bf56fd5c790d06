// From an invite's mail to a connected number, and all that can go wrong with such links.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { linkIn, MailServer } from './support/mail.mjs';
import { openPopup, walk } from './support/popup.mjs';
import { Serve } from './support/serve.mjs';
import { signIn } from './support/signin.mjs';

const password = 'gravel teapot monsoon';
const sam = { email: 'sam@northwind.example', password, role: 'support' };
const nina = { email: 'nina@harbour.example', password: 'lantern quarry violin' };

let browser;
let mail;
let serve;
before(async () => {
  browser = await launch();
  mail = await MailServer.start();
  serve = await Serve.start({ users: [sam], env: { ...mail.env, DOORWAY_STAFF_TOTP: 'false' } });
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await serve?.stop();
  await mail?.close();
});

/** Runs `steps(page)` in a fresh profile that reports no fault. */
async function within(options, steps) {
  const { context, faults } = await newContext(browser, options);
  try {
    const page = await context.newPage();
    await steps(page);
    faults.assertNone({ allow: options.allow ?? [] });
  } finally {
    await context.close();
  }
}

/** Sam invites somebody; ends on the invite's page. */
async function invite(page, fields, { open = false } = {}) {
  await page.goto(`${serve.portal}/invites/new`);
  if (open) await page.getByText('What you know of the business').click();
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel(label, { exact: true });
    if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption(value);
    else await field.fill(value);
  }
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.waitForURL((url) => /^\/invites\/[0-9a-f-]{36}$/.test(url.pathname));
}

/** Reloads an invite's page until its mail is in this state. */
async function mailIs(page, state, timeout = 30_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const now = await page.locator('[data-mail]').getAttribute('data-mail');
    if (now === state) return;
    assert.ok(Date.now() < end, `the mail is ${now}, not ${state}: ${await page.locator('main').innerText()}`);
    await new Promise((done) => setTimeout(done, 200));
    await page.reload();
  }
}

test('an invited customer, from the mail to a connected number', { timeout: 180_000 }, async () => {
  await within({ viewport: desktop }, async (page) => {
    await signIn(page, serve.portal, sam);
    await page.goto(`${serve.portal}/invites/new`);
    await assertAccessible(page, '/invites/new');
    await invite(page, {
      'E-mail': nina.email, Name: 'Nina Bäcker', Company: 'Hafenbäckerei',
      'Business e-mail': 'post@harbour.example', 'Business phone': '+49 30 901820', Website: 'harbour.example',
      'Street and number': 'Am Hafen 1', City: 'Berlin', 'Postal code': '10115', Country: 'DE', 'Time zone': 'UTC+01:00',
      'Display name': 'Hafenbäckerei', Category: 'RESTAURANT', Description: 'Bread & cake',
    }, { open: true });
    await mailIs(page, 'sent');
    await assertAccessible(page, 'the invite’s page');
    assert.match(await page.locator('main').innerText(), /We sent it to nina@harbour\.example/);
  });

  const message = await mail.to(nina.email);
  assert.equal(message.from.text, '"Northwind Messaging" <portal@northwind.example>');
  assert.equal(message.to.value[0].name, 'Nina Bäcker');
  assert.equal(message.replyTo.value[0].address, 'help@northwind.example');
  assert.match(message.subject, /Northwind Messaging: connect WhatsApp for Hafenbäckerei/);
  assert.match(message.text, /Hello Nina Bäcker,/);
  assert.match(message.messageId, /@northwind\.example>$/);
  assert.equal(message.headers.get('auto-submitted'), 'auto-generated');
  const link = linkIn(message, serve.portal);

  // What mail scanners do.
  for (const method of ['GET', 'HEAD', 'GET', 'GET', 'HEAD']) {
    const response = await fetch(link, { method, redirect: 'manual' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    await response.arrayBuffer();
  }

  await within({ viewport: phone, allow: [/422 \(Unprocessable Entity\)/] }, async (page) => {
    await page.goto(link);
    await assertAccessible(page, 'the invite');
    await page.getByLabel('Password', { exact: true }).fill('too short');
    await page.getByLabel('Your name').fill('Nina Bäcker');
    await page.locator('form[action^="/invite/"]').evaluate((form) => { form.noValidate = true; });
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.getByText('The password is too short').waitFor();
    assert.match(await page.title(), /^Problem: /);
    await assertAccessible(page, 'the invite with a short password');
    await page.getByLabel('Password', { exact: true }).fill(nina.password);
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.waitForURL(`${serve.portal}/connect`);

    // Facebook's window has what is known of the business.
    const seen = {};
    await walk(await openPopup(page), {
      async onScreen({ popup }) {
        Object.assign(seen, await popup.evaluate(() => Object.fromEntries(
          [...document.querySelectorAll('#screen input[type]:not([type="radio"]), #screen input:not([type])')].map((input) => [input.name, input.value]),
        )));
      },
    });
    await expectAttempt(page, 'done');
    const expected = {
      business_name: 'Hafenbäckerei', email: 'post@harbour.example', website: 'https://harbour.example/',
      business_phone: '+49 30901820', address: 'Am Hafen 1, Berlin, 10115', country: 'DE', timezone: 'UTC+01:00',
      display_name: 'Hafenbäckerei', category: 'RESTAURANT', description: 'Bread & cake',
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(seen[name], value, name);
    await page.goto(`${serve.portal}/connections`);
    assert.equal(await page.locator('main a[href^="/connections/"]').count() > 0, true);

    // She invites a colleague herself.
    await page.goto(`${serve.portal}/settings/company`);
    await assertAccessible(page, '/settings/company');
    await page.getByRole('link', { name: 'Invite a colleague' }).click();
    await page.getByLabel('E-mail', { exact: true }).fill('omar@harbour.example');
    await assertAccessible(page, '/invites/new of a member');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    await mailIs(page, 'sent');
    await page.goto(`${serve.portal}/settings/company`);
    await assertAccessible(page, '/settings/company with an invite');
    await page.getByRole('link', { name: 'omar@harbour.example' }).click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The link is taken back').waitFor();
  });
  const omar = linkIn(await mail.to('omar@harbour.example'), serve.portal);

  // Links that are over say what to do.
  await within({ viewport: phone, allow: [/410 \(Gone\)|404 \(Not Found\)/] }, async (page) => {
    const over = [[link, 'used', 'Sign in'], [omar, 'revoked', 'Sign in'], [link.slice(0, -2), 'unknown', 'Sign in']];
    for (const [url, why, next] of over) {
      await page.goto(url);
      assert.equal(await page.locator('main').getAttribute('data-link'), why);
      await page.getByRole('link', { name: next, exact: true }).waitFor();
      await assertAccessible(page, `a link that is ${why}`);
    }
  });
});

test('a forgotten password, by mail', { timeout: 120_000 }, async () => {
  const eve = { email: 'eve@corner.example', password: 'saddle orbit marzipan' };
  await serve.createUser({ ...eve, role: 'customer', company: 'Corner Shop' });
  await within({ viewport: phone, allow: [/410 \(Gone\)/] }, async (page) => {
    await page.goto(`${serve.portal}/signin`);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await assertAccessible(page, '/forgot');
    await page.getByLabel('E-mail', { exact: true }).fill('nobody@corner.example');
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await page.waitForURL(`${serve.portal}/forgot/sent`);
    const answer = await page.locator('main').innerText();
    await page.goto(`${serve.portal}/forgot`);
    await page.getByLabel('E-mail', { exact: true }).fill(eve.email);
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await page.waitForURL(`${serve.portal}/forgot/sent`);
    assert.equal(await page.locator('main').innerText(), answer, 'the same for everybody');
    await assertAccessible(page, '/forgot/sent');

    const link = linkIn(await mail.to(eve.email), serve.portal);
    assert.equal(mail.mails.some(({ to }) => to.value[0].address === 'nobody@corner.example'), false);
    for (let i = 0; i < 3; i += 1) assert.equal((await fetch(link)).status, 200);
    await page.goto(link);
    await assertAccessible(page, 'the link for a new password');
    await page.getByLabel('New password', { exact: true }).fill('pebble harvest tundra');
    await page.getByRole('button', { name: 'Save and sign in' }).click();
    await page.waitForURL(`${serve.portal}/connect`);
    await page.goto(link);
    assert.equal(await page.locator('main').getAttribute('data-link'), 'used');
    await assertAccessible(page, 'a used link for a new password');
  });
  await within({ viewport: phone }, (page) => signIn(page, serve.portal, { ...eve, password: 'pebble harvest tundra' }));
});

test('a mail server that refuses, and one that is down for a while', { timeout: 120_000 }, async () => {
  await within({ viewport: phone }, async (page) => {
    await signIn(page, serve.portal, sam);
    mail.refused.set('typo@harbour.example', { code: 550, text: 'No such mailbox here' });
    await invite(page, { 'E-mail': 'typo@harbour.example', Company: 'Typo Ltd' });
    await mailIs(page, 'failed');
    assert.match(await page.locator('main').innerText(), /did not go out[\s\S]*The mail server refused it[\s\S]*550[\s\S]*No such mailbox here/);
    await assertAccessible(page, 'an invite whose mail was refused');
    mail.refused.clear();
    await page.getByRole('button', { name: 'Send again' }).click();
    await mailIs(page, 'sent');
    assert.equal(new URL(linkIn(await mail.to('typo@harbour.example'), serve.portal)).pathname.startsWith('/invite/'), true);

    await mail.close();
    await invite(page, { 'E-mail': 'late@harbour.example', Company: 'Late Ltd' });
    await mailIs(page, 'delayed');
    await assertAccessible(page, 'an invite whose mail is delayed');
    await mail.listen();
    await mail.to('late@harbour.example');
    await mailIs(page, 'sent');
  });
  assert.equal(serve.stderr.includes('/invite/'), true, 'requests are logged');
  assert.equal(/\/(invite|reset)\/[\w-]/.test(serve.stderr), false, 'without what lets people in');
});

test('without a mail server the link is copied', { timeout: 60_000 }, async () => {
  const plain = await Serve.start({ users: [sam], env: { DOORWAY_STAFF_TOTP: 'false' } });
  try {
    await within({ viewport: phone, permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
      await signIn(page, plain.portal, sam);
      await page.goto(`${plain.portal}/invites/new`);
      await page.getByLabel('E-mail', { exact: true }).fill('nina@harbour.example');
      await page.getByLabel('Company', { exact: true }).fill('Harbour Bakery');
      await page.getByRole('button', { name: 'Make the link' }).click();
      await page.getByText('Copy this link and send it yourself').waitFor();
      await assertAccessible(page, 'an invite without mail');
      await page.getByRole('button', { name: /^Copy/ }).click();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, new RegExp(`^${plain.portal}/invite/[\\w-]{43}$`));
      assert.equal((await fetch(copied)).status, 200);
      await page.goto(`${plain.portal}/forgot`);
      assert.match(await page.locator('main').innerText(), /can make you a link[\s\S]*Write to help@northwind\.example/);
      await assertAccessible(page, '/forgot without mail');
    });
    await plain.stop();
  } finally {
    await plain.remove();
  }
});
