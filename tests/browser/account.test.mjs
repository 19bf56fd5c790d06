// From an empty install to a signed-in admin with two-step sign-in, and what guards an account afterwards.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible } from './support/axe.mjs';
import { desktop, launch, newContext, phone } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { assertFits } from './support/looks.mjs';
import { Serve } from './support/serve.mjs';
import { totp } from './support/totp.mjs';

const admin = { email: 'ada@northwind.example', password: 'anchovy ladder velvet' };
// What wrong codes and taken addresses answer with.
const allow = [/status of 4(04|09|22)/];
const start = () => Serve.start({ env: { DOORWAY_STAFF_TOTP: 'true' } });

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const setupCode = (serve) => /set-up code ([0-9A-Z]{5}(-[0-9A-Z]{5}){2})/.exec(serve.stderr)?.[1];

/** axe-core, and no sideways scrolling, on a phone and on a desk. */
async function check(page, name) {
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    await page.mouse.move(0, 0);
    await assertFits(page, name);
    await assertAccessible(page, name);
    if (process.env.DOORWAY_SCREENSHOTS) {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${process.env.DOORWAY_SCREENSHOTS}/${name}-${viewport.width}-${colorScheme}.png`, fullPage: true });
      }
      await page.emulateMedia({ colorScheme: null });
    }
  }
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const field = (page, label) => page.getByLabel(label, { exact: true });
const error = (page) => page.locator('.field-error').first();

async function fillSetup(page, code, password = admin.password) {
  await field(page, 'Set-up code').fill(code);
  await field(page, 'Your name').fill('Ada Admin');
  await field(page, 'E-mail').fill(admin.email);
  await field(page, 'Password').fill(password);
  await press(page, 'Create the account');
}

/** The password's step alone. */
async function firstStep(page, serve) {
  await page.goto(`${serve.portal}/signin`);
  await field(page, 'E-mail').fill(admin.email);
  await field(page, 'Password').fill(admin.password);
  await press(page, 'Sign in');
  await page.getByRole('heading', { level: 1, name: 'Enter your code' }).waitFor();
}

async function enterCode(page, code) {
  await field(page, 'Code').fill(code);
  await press(page, 'Sign in');
}

/** Sets up the app that `/settings/two-step` shows; its secret, and the recovery codes. */
async function enrol(page) {
  await press(page, 'Set up two-step sign-in');
  const secret = await page.locator('#key').innerText();
  assert.ok((await page.getByRole('link', { name: 'Open it in the app' }).getAttribute('href')).includes(secret.replace(/\s/g, '')));
  await check(page, 'two-step-scan');
  await field(page, 'Code').fill('12345');
  await press(page, 'Switch it on');
  await error(page).waitFor();
  assert.match(await error(page).innerText(), /not right/);
  assert.match(await page.title(), /^Problem: /);
  assert.equal(await page.locator('#key').innerText(), secret, 'nothing is lost');
  const used = totp(secret);
  await field(page, 'Code').fill(used);
  await press(page, 'Switch it on');
  await page.getByRole('heading', { level: 1, name: 'Two-step sign-in is on' }).waitFor();
  const recovery = await page.locator('.codes code').allInnerTexts();
  assert.equal(recovery.length, 10);
  return { secret, recovery, used };
}

test('an empty install to a guarded admin', { timeout: 180_000 }, () => journey(browser, 'first run', async ({ page, context, demo: serve }) => {
  const code = setupCode(serve);
  assert.ok(code, `no set-up code in the log:\n${serve.stderr}`);
  assert.equal((await fetch(`${serve.portal}/readyz`)).status, 200, 'machines are not led away');

  await page.goto(`${serve.portal}/signin`);
  assert.equal(new URL(page.url()).pathname, '/setup');
  await check(page, 'setup');
  const second = await context.newPage();
  await second.goto(`${serve.portal}/`);
  await second.getByRole('heading', { level: 1, name: 'Set up Doorway' }).waitFor();

  await fillSetup(page, 'AAAAA-AAAAA-AAAAA');
  await error(page).waitFor();
  assert.match(await error(page).innerText(), /not the set-up code/);
  assert.equal(await field(page, 'E-mail').inputValue(), admin.email, 'what was typed is kept');
  await fillSetup(page, code, 'northwindmessaging');
  assert.match(await error(page).innerText(), /others know of you/);
  await check(page, 'setup-problem');
  await fillSetup(page, code);

  // Staff need the second step first, and then come to where they were led.
  await page.getByRole('heading', { level: 1, name: 'Two-step sign-in' }).waitFor();
  await page.getByText('Set this up first', { exact: true }).waitFor();
  await page.goto(`${serve.portal}/support`);
  assert.equal(new URL(page.url()).pathname, '/settings/two-step', 'nothing else is open');
  await page.goto(`${serve.portal}/backoffice/settings`);
  await check(page, 'two-step-must');
  const { secret, recovery, used } = await enrol(page);
  await check(page, 'recovery-codes');
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await page.waitForURL(`${serve.portal}/backoffice/settings`);

  await fillSetup(second, code);
  await second.getByRole('heading', { level: 1, name: /set up already/ }).waitFor();
  await check(second, 'setup-done');
  await second.close();
  assert.equal((await fetch(`${serve.portal}/setup`)).status, 404);

  // Again, on another device.
  const other = await newContext(browser);
  const away = await other.context.newPage();
  await firstStep(away, serve);
  await check(away, 'code');
  await enterCode(away, used);
  assert.match(await error(away).innerText(), /used already|not right/, 'the code that switched it on is used, or too old by now');
  await check(away, 'code-problem');
  // The app's clock may be a step ahead; then this one counts, once.
  const next = totp(secret, 1);
  await enterCode(away, next);
  await away.waitForURL(`${serve.portal}/support`);
  const third = await newContext(browser);
  const thief = await third.context.newPage();
  await firstStep(thief, serve);
  await enterCode(thief, next);
  assert.match(await error(thief).innerText(), /used already/, 'a replay');
  await thief.goto(`${serve.portal}/settings`);
  assert.equal(new URL(thief.url()).pathname, '/signin', 'nothing is open in between');
  await firstStep(thief, serve);
  await thief.getByRole('link', { name: /use a recovery code/ }).click();
  await check(thief, 'code-recovery');
  await field(thief, 'Recovery code').fill(recovery[0].toLowerCase());
  await press(thief, 'Sign in');
  await thief.waitForURL(`${serve.portal}/support`);

  await page.goto(`${serve.portal}/settings`);
  assert.match(await page.locator('main').innerText(), /9 recovery codes are left/);
  const devices = page.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem');
  assert.equal(await devices.count(), 3);
  assert.match(await devices.first().innerText(), /Chrome on Linux.*This device/s);
  await check(page, 'settings');
  await devices.nth(1).getByRole('button').click();
  await page.getByRole('status').filter({ hasText: 'is signed out' }).waitFor();
  assert.equal(await devices.count(), 2);
  await press(page, 'Sign out all other devices');
  await page.getByRole('status').filter({ hasText: 'The other devices are signed out' }).waitFor();
  for (const gone of [away, thief]) {
    await gone.goto(`${serve.portal}/settings`);
    assert.equal(new URL(gone.url()).pathname, '/signin');
  }

  await page.goto(`${serve.portal}/settings/two-step`);
  await check(page, 'two-step-on');
  assert.equal(await page.getByRole('button', { name: /^Switch off/ }).count(), 0, 'staff can’t be without it');
  await page.getByLabel('Your password, or a code from the app').first().fill(admin.password);
  await press(page, 'Make new recovery codes');
  await page.getByRole('heading', { level: 1, name: 'Your new recovery codes' }).waitFor();
  const fresh = await page.locator('.codes code').allInnerTexts();
  assert.ok(fresh.length === 10 && !fresh.includes(recovery[1]));

  for (const { context: closing, faults } of [other, third]) {
    faults.assertNone({ allow });
    await closing.close();
  }
}, { person: null, allow: [...allow, /status of 404/], start }));

test('too many tries', { timeout: 120_000 }, () => journey(browser, 'too many tries', async ({ page, demo: serve }) => {
  for (let i = 0; i < 6; i += 1) {
    await page.goto(`${serve.portal}/signin`);
    await field(page, 'E-mail').fill('nobody@northwind.example');
    await field(page, 'Password').fill('not this one either');
    await press(page, 'Sign in');
    await page.getByRole('alert').waitFor();
  }
  assert.match(await page.getByRole('alert').innerText(), /Too many tries\s+Wait 1 minute, or set a new password/);
  await check(page, 'signin-wait');
}, {
  person: null, allow: [/status of 4(22|29)/],
  start: () => Serve.start({ users: [{ ...admin, role: 'admin' }] }),
}));
