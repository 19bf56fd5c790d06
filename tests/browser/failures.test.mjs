// Each way in which a signup ends otherwise: the page says what to do, and one click tries again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt, expectFailure } from './support/attempt.mjs';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { closeWindow, tryOnce, walk } from './support/popup.mjs';
import { scenario } from './support/sandbox.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

function failures(name, steps, options) {
  test(name, { timeout: 180_000 }, () => journey(browser, name, steps, options));
}

/** Without a scenario: it goes smoothly, on the same page and with one click. */
async function endsDone(page) {
  await tryOnce(page);
  await expectAttempt(page, 'done');
}

async function mainText(page) {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ');
}

const screens = [
  ['BUSINESS_ACCOUNT_SELECTION', /before choosing your business/, /create one there/],
  ['WABA_PHONE_PROFILE_PICKER', /before choosing your WhatsApp account/, /create a new one/],
  ['WHATSAPP_BUSINESS_PROFILE_SETUP', /before your WhatsApp account was set up/, /Have the name ready/],
  ['PHONE_NUMBER_SETUP', /before adding a number/, /free it first/],
  ['PHONE_NUMBER_VERIFICATION', /before the code was entered/, /ask for a phone call/],
  ['PERMISSIONS', /before agreeing/, /agree on the last screen/],
];

failures('cancelled on each screen', async ({ page, demo, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  for (const [step, title, cure] of screens) {
    await sandbox.play(scenario.cancelAt(step));
    await tryOnce(page);
    await expectFailure(page, 'cancelled', { title });
    assert.match(await mainText(page), cure);
    assert.equal(await page.locator('.journey [aria-current="step"]').innerText(), 'Facebook', 'where they left');
  }
  await endsDone(page);
});

failures('the window closes, or shows an error', async ({ page, demo, sandbox }) => {
  await page.goto(`${demo.portal}/connect`);
  await sandbox.play(scenario.closeAt('PHONE_NUMBER_SETUP'));
  await tryOnce(page);
  await expectFailure(page, 'cancelled', { title: /before adding a number/ });

  for (const name of ['error_reported', 'error_event']) {
    await sandbox.play(name);
    await tryOnce(page);
    await expectFailure(page, 'facebook_error', { title: /Facebook reported an error/ });
    assert.match(await mainText(page), /Your verified name violates WhatsApp guidelines/, 'what Facebook said is there to recognise');
  }

  // These two the window shows to the customer alone: no event tells of them.
  await sandbox.play('cant_onboard');
  await tryOnce(page, async (popup) => {
    await walk(popup, { stopAt: /Allow access/ });
    await popup.getByRole('button', { name: 'Continue', exact: true }).click();
    assert.match(await popup.getByRole('heading', { level: 1 }).innerText(), /can't onboard customers right now/);
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: 'Close', exact: true }).click().catch(() => {});
    await closed;
  });
  await expectFailure(page, 'cancelled', { title: /closed the Facebook window/ });
  assert.match(await mainText(page), /can’t take on customers.* write to them/);

  await sandbox.play('invalid_scopes');
  await tryOnce(page, async (popup) => {
    assert.match(await popup.getByRole('heading', { level: 1 }).innerText(), /Invalid Scopes/);
    await closeWindow(popup);
  });
  await expectFailure(page, 'cancelled', { title: /closed the Facebook window/ });
  assert.match(await mainText(page), /showed an error, write to them/);
  await endsDone(page);
}, { allow: [/status of 400/] });

failures('Facebook says yes, and it does not hold', async ({ page, demo, sandbox }) => {
  const cases = [
    ['permissions_declined', 'no_whatsapp_permission', /did not give us access/, /leave every switch on/],
    ['code_expired_now', 'code_expired', /took a little too long/, /need not enter anything twice/],
    ['token_revoked', 'token_revoked', /access ended while we worked/, /agree once more/],
  ];
  await page.goto(`${demo.portal}/connect`);
  for (const [name, reason, title, cure] of cases) {
    await sandbox.play(name);
    await tryOnce(page);
    await expectFailure(page, reason, { title });
    assert.match(await mainText(page), cure);
    assert.deepEqual((await sandbox.state()).wabas.filter(({ subscribed }) => subscribed), [], `${name}: nothing is switched on`);
  }
  const failed = page.url();
  await page.goto(`${demo.portal}/connections`);
  assert.match(await mainText(page), /No WhatsApp number is connected yet/);
  await page.goto(failed);
  await endsDone(page);
});

failures('finished with another number than usual', async ({ page, demo, sandbox }) => {
  const cases = [
    ['no_number', 0, [/This account has no number yet/, /Add a number to/]],
    ['unverified_number', 1, [/Not confirmed by code/, /Confirm \+1 .* by code/]],
    ['coexistence', 1, [/Ready, shared with the app/]],
    ['several_numbers', 3, [/Not registered yet/]],
    ['display_name_pending', 1, [/Meta is checking the name/, /Wait until Meta has checked the name/]],
    ['granular_without_targets', 1, [/Not registered yet/]],
  ];
  for (const [name, numbers, texts] of cases) {
    // A customer of their own each time: what the one before shared would be shared again.
    await sandbox.reset();
    await sandbox.play(name);
    await page.goto(`${demo.portal}/connect`);
    await tryOnce(page);
    await expectAttempt(page, 'done');
    await page.getByRole('link', { name: 'See your connection', exact: true }).click();
    await page.locator('main[data-connection]').waitFor();
    const text = await mainText(page);
    for (const pattern of texts) assert.match(text, pattern, name);
    assert.equal(await page.locator('main .number').count(), numbers, `${name}: numbers`);
    assert.deepEqual((await sandbox.state()).wabas.map(({ subscribed }) => subscribed), [true], name);
  }
});

failures('Meta in trouble is waited out', async ({ page, demo, sandbox }) => {
  for (const name of ['graph_500', 'graph_down']) {
    await sandbox.play(name);
    await page.goto(`${demo.portal}/connect`);
    await tryOnce(page);
    // The page says so, and goes on by itself.
    await page.getByText(/Facebook answers slowly\. Trying again in \d+ s/).waitFor();
    await expectAttempt(page, 'done');
  }
  const failed = (await sandbox.requests()).filter(({ status }) => status === 500);
  assert.equal(failed.length, 2, 'both faults were met');
});

failures('Meta slow, and the page loaded again meanwhile', async ({ page, demo, sandbox }) => {
  await sandbox.play('graph_slow_2s');
  await page.goto(`${demo.portal}/connect`);
  await tryOnce(page);
  const address = page.url();
  assert.equal(await page.locator('main').getAttribute('data-attempt'), 'working');
  const first = await page.locator('[data-step][data-status="done"]').count();
  await page.reload();
  assert.equal(page.url(), address);
  await page.locator('main[data-attempt="working"]').waitFor();
  await page.waitForFunction((seen) => document.querySelectorAll('[data-step][data-status="done"]').length > seen, first);
  await expectAttempt(page, 'done', { timeout: 40_000 });
  assert.equal(await page.locator('[data-step][data-status="done"]').count(), 6, 'every step is shown as done');
});
