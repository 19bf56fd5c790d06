// A portal whose operator has not set up the app at Meta: customers are told kindly, staff exactly.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible } from './support/axe.mjs';
import { launch, newContext, phone } from './support/browser.mjs';
import { facebookButton } from './support/popup.mjs';
import { Serve } from './support/serve.mjs';
import { signIn } from './support/signin.mjs';

const password = 'a long enough password';
const users = [
  { email: 'nina@harbour.example', password, role: 'customer', company: 'Harbour Bakery' },
  { email: 'sam@northwind.example', password, role: 'support' },
  { email: 'ada@northwind.example', password, role: 'admin' },
];
const settings = ['DOORWAY_META_APP_ID', 'DOORWAY_META_APP_SECRET', 'DOORWAY_META_ES_CONFIG_ID'];

let browser;
let portal;
before(async () => {
  browser = await launch();
  portal = await Serve.start({ users, env: Object.fromEntries(settings.map((name) => [name, null])) });
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await portal?.stop();
});

async function connectPage(user, look) {
  const { context, faults } = await newContext(browser, { viewport: phone });
  try {
    const page = await context.newPage();
    await signIn(page, portal.portal, user);
    const response = await page.goto(`${portal.portal}/connect`);
    assert.equal(response.status(), 200);
    assert.match(await page.locator('main').innerText(), /WhatsApp Embedded Signup is not configured/);
    assert.equal(await facebookButton(page).count(), 0, 'no button that leads nowhere');
    await look(page);
    // With an operator's name of usual length, the top bar still fits a phone.
    const [link, menu] = await Promise.all([page.locator('.topnav a').last().boundingBox(), page.locator('.menu').boundingBox()]);
    assert.ok(link.x + link.width <= menu.x, `the top bar’s last link ends at ${link.x + link.width}, its menu begins at ${menu.x}`);
    await assertAccessible(page, `/connect for ${user.role}`);
    faults.assertNone();
  } finally {
    await context.close();
  }
}

test('a customer is told kindly, and whom to write to', { timeout: 60_000 }, () => connectPage(users[0], async (page) => {
  const main = page.locator('main');
  assert.equal(await main.getByRole('heading', { level: 1 }).innerText(), 'Connecting is not possible yet');
  assert.match(await main.innerText(), /nothing you did/);
  assert.doesNotMatch(await main.innerText(), /DOORWAY_|App ID|App Secret/i, 'no settings, which are not theirs');
  const write = main.getByRole('link', { name: 'Write to Northwind Messaging', exact: true });
  assert.match(await write.getAttribute('href'), /^mailto:help@northwind\.example/);
}));

for (const user of users.slice(1)) {
  test(`${user.role} is told exactly what is missing`, { timeout: 60_000 }, () => connectPage(user, async (page) => {
    const items = await page.locator('main li').allInnerTexts();
    for (const name of ['App ID and App Secret', 'Embedded Signup configuration ID']) {
      assert.ok(items.some((text) => text.includes(name) && /missing/.test(text)), `${name}: ${items}`);
    }
    const open = page.getByRole('link', { name: 'Open Meta settings', exact: true });
    if (user.role === 'admin') assert.equal(await open.getAttribute('href'), '/backoffice/settings');
    else assert.match(await page.locator('main').innerText(), /Ask an admin/);
  }));
}

test('beginning all the same changes nothing', { timeout: 60_000 }, async () => {
  const { context } = await newContext(browser);
  try {
    const page = await context.newPage();
    await signIn(page, portal.portal, users[0]);
    await page.goto(`${portal.portal}/settings`);
    const csrf = await page.locator('input[name="csrf"]').first().inputValue();
    const status = await page.evaluate(async (token) => {
      const response = await fetch('/connect/attempts', {
        method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': token }, body: '{}',
      });
      return response.status;
    }, csrf);
    assert.equal(status, 409);
  } finally {
    await context.close();
  }
});
