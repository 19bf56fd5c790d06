// Message templates: 2,500 of them read, one written, rejected, edited, approved.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAttempt } from './support/attempt.mjs';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { goThroughPopup } from './support/popup.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/** A form that is sent back: the browser's console names its status. */
const refused = [/status of 422/];

/** The smallest PNG: one pixel. */
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** Changes the sandbox's templates. */
async function control(demo, body) {
  const answer = await fetch(`${demo.sandbox}/_sandbox/templates`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

/** A connected account: the address of its connection, and its WABA. */
async function connect(page, demo) {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  const state = await (await fetch(`${demo.sandbox}/_sandbox/state`)).json();
  await page.goto(`${demo.portal}/connections`);
  await page.locator('main a[href^="/connections/"]').first().click();
  await page.waitForURL(/\/connections\/[0-9a-f-]{36}$/);
  return state.wabas.at(-1).id;
}

test('2,500 templates are read; one is written, rejected, edited, approved', { timeout: 300_000 }, () => journey(browser, 'templates', async ({ page, demo }) => {
  const waba_id = await connect(page, demo);
  await page.getByRole('link', { name: 'Message templates' }).click();
  await page.locator('main[data-sync="done"]').waitFor({ timeout: 60_000 });
  await page.getByRole('heading', { name: 'No templates yet' }).waitFor();
  await looksRight(page, 'templates none');
  await control(demo, { waba_id, make: 2500, review_ms: 3000 });

  await page.getByRole('button', { name: 'Read again' }).click();
  await page.getByText(/templates read so far|of about|2500 new/).first().waitFor();
  await looksRight(page, 'templates reading');
  await page.locator('main[data-sync="done"]').waitFor({ timeout: 120_000 });
  await page.getByText('2500 new, 0 changed, 0 gone').waitFor();
  await page.getByText('Page 1 of 25').waitFor();
  await looksRight(page, 'templates list');
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByText('Page 2 of 25').waitFor();

  await page.getByLabel('Status').selectOption({ value: 'REJECTED' });
  await page.getByLabel('Language').selectOption({ label: await page.locator('#language option[value="ar"]').innerText() });
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/status=REJECTED/);
  assert.match(page.url(), /language=ar/);
  await page.locator('.template-lines a').first().click();
  await page.locator('.bubble[dir="rtl"]').waitFor();
  await looksRight(page, 'template right to left');

  // Written with the preview beside it.
  await page.goto(page.url().replace(/\/templates\/.*/, '/templates/new'));
  await page.getByLabel('Name', { exact: true }).fill('Order ready');
  await page.getByLabel('Language', { exact: true }).selectOption('en_US');
  await page.getByLabel('Text', { exact: true }).fill('Hello {{1}}, your *order* {{2}} is _ready_. Reply with your card number, please 🙂');
  await page.locator('#preview strong').getByText('order').waitFor();
  await page.getByLabel(/\{\{1\}\}/).fill('Pablo');
  await page.getByLabel(/\{\{2\}\}/).fill('860198');
  await page.locator('#preview .sample').getByText('Pablo').waitFor();
  await looksRight(page, 'template new');
  await page.getByRole('button', { name: 'Send to Meta' }).last().click();
  await page.locator('#name-error').getByText('Only small letters, digits and underscores').waitFor();
  assert.match(await page.title(), /^Problem: /);
  await looksRight(page, 'template fault');
  await page.getByLabel('Name', { exact: true }).fill('order_ready');
  await page.getByRole('button', { name: 'Quick reply' }).click();
  await page.getByLabel('Words on it').fill('Thank you');
  await page.getByRole('button', { name: 'Send to Meta' }).last().click();
  await page.locator('main[data-status="PENDING"]').waitFor();
  await page.locator('main[data-status="REJECTED"]').waitFor({ timeout: 30_000 });
  await page.getByText('Meta took it for an attempt at fraud').waitFor();
  await looksRight(page, 'template rejected');

  await page.getByRole('link', { name: 'Change it and send it again' }).click();
  await page.getByLabel('Text', { exact: true }).fill('Hello {{1}}, your *order* {{2}} is _ready_. Come and fetch it 🙂');
  await looksRight(page, 'template edit');
  await page.getByRole('button', { name: 'Send to Meta' }).last().click();
  await page.locator('main[data-status="APPROVED"]').waitFor({ timeout: 30_000 });
  await page.getByText('Come and fetch it').first().waitFor();
  await looksRight(page, 'template approved');
  await page.getByRole('link', { name: 'Delete …' }).click();
  await looksRight(page, 'template delete');

  // With an image above the text: what stands for it while Meta looks is uploaded.
  await page.goto(page.url().replace(/\/templates\/.*/, '/templates/new'));
  await page.getByLabel('Name', { exact: true }).fill('spring_offer');
  await page.getByText('Marketing', { exact: true }).click();
  await page.getByLabel('Above the text', { exact: true }).selectOption('image');
  await page.getByLabel('Sample file', { exact: true }).setInputFiles({ name: 'offer.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 offer') });
  await page.getByLabel('Text', { exact: true }).fill('Fresh bread each morning from six. See you at the harbour!');
  await page.getByRole('button', { name: 'Send to Meta' }).last().click();
  await page.locator('#file-error').getByText('This is not a JPEG or PNG image').waitFor();
  await looksRight(page, 'template wrong file');
  await page.getByLabel('Sample file', { exact: true }).setInputFiles({ name: 'offer.png', mimeType: 'image/png', buffer: pixel });
  await page.getByRole('button', { name: 'Send to Meta' }).last().click();
  await page.locator('main[data-status="PENDING"], main[data-status="APPROVED"]').waitFor();
  await page.locator('.bubble-media').getByText('An image').waitFor();
  await page.locator('main[data-status="APPROVED"]').waitFor({ timeout: 30_000 });
  await looksRight(page, 'template with image');
}, { allow: refused }));

test('without JavaScript a template is written and previewed', { timeout: 120_000 }, () => journey(browser, 'templates-plain', async ({ page, context, demo }) => {
  await connect(page, demo);
  const list = `${page.url()}/templates`;
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
  try {
    const bare = await plain.newPage();
    await bare.goto(`${list}/new`);
    await bare.getByLabel('Name', { exact: true }).fill('order_late');
    await bare.getByLabel('Text', { exact: true }).fill('Hello {{name}}, your order comes a little later today.');
    await bare.getByRole('button', { name: 'Show the message' }).click();
    await bare.locator('#preview').getByText('comes a little later today').waitFor();
    await bare.getByLabel(/\{\{name\}\}/).fill('Pablo');
    await bare.getByRole('button', { name: 'Open a web page' }).click();
    await bare.getByRole('button', { name: 'Remove' }).click();
    assert.equal(await bare.getByLabel(/\{\{name\}\}/).inputValue(), 'Pablo', 'what was typed stays');
    await bare.getByRole('button', { name: 'Send to Meta' }).last().click();
    await bare.getByRole('heading', { name: 'order_late' }).waitFor();
  } finally {
    await plain.close();
  }
}));
