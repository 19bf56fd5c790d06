// A shop owner gives their number another photo and another text, while somebody edits the profile on the phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { expectAttempt } from './support/attempt.mjs';
import { launch } from './support/browser.mjs';
import { journey } from './support/journey.mjs';
import { looksRight } from './support/looks.mjs';
import { goThroughPopup } from './support/popup.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A PNG of these pixels: left half red, right half blue. */
function png(width, height) {
  const table = Array.from({ length: 256 }, (_, n) => Array.from({ length: 8 }).reduce((c) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n) >>> 0);
  const crc = (bytes) => (bytes.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length, 0);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc(body), body.length + 4);
    return whole;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + width * 3);
  for (let x = 0; x < width; x += 1) row.set(x < width / 2 ? [200, 30, 30] : [30, 30, 200], 1 + x * 3);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** Somebody edits the profile on the phone; without changes it is looked at. */
async function onPhone(demo, phone_id, change = {}) {
  const answer = await fetch(`${demo.sandbox}/_sandbox/profiles`, { method: 'POST', body: JSON.stringify({ phone_id, ...change }) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).profile;
}

/** Through the popup; the number's ID and the page of its profile. */
async function connected(page, demo, sandbox) {
  await page.goto(`${demo.portal}/connect`);
  await goThroughPopup(page);
  await expectAttempt(page, 'done');
  const phone = (await sandbox.state()).phones.at(-1).id;
  await page.goto(`${demo.portal}/connections`);
  await page.locator('main a[href^="/connections/"]').first().click();
  return phone;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const said = (page, text) => page.getByRole('status').filter({ hasText: text }).first().waitFor();

test('a photo is cut, the text edited, and a conflict resolved', { timeout: 240_000 }, () => journey(browser, 'profile', async ({ page, demo, sandbox }) => {
  const phone = await connected(page, demo, sandbox);
  await onPhone(demo, phone, { about: 'Bread since 1921', vertical: 'GROCERY', address: 'Pier 1' });
  await page.getByRole('link', { name: /^Business profile/ }).first().click();
  await page.getByRole('heading', { name: 'Business profile', level: 1 }).waitFor();
  assert.equal(await page.getByLabel('About', { exact: true }).inputValue(), 'Bread since 1921');
  await looksRight(page, 'profile');

  // Counted and shown while it is typed, an emoji as one.
  await page.getByLabel('About', { exact: true }).fill('Bread & cakes 🥐');
  assert.equal(await page.locator('#about-count').innerText(), '15 of 139 characters');
  assert.equal(await page.locator('[data-shows="about"]').innerText(), 'Bread & cakes 🥐');
  await page.getByLabel('Description', { exact: true }).fill(`Fresh each day\n${'e'.repeat(500)}`);
  assert.equal(await page.locator('#description-count').innerText(), '3 too many: at most 512 characters');
  await page.getByLabel('Category', { exact: true }).selectOption({ label: 'Restaurant' });
  assert.equal(await page.locator('[data-shows="vertical"]').innerText(), 'Restaurant');

  // A broad photo is cut to a square: its right half, by keyboard.
  await page.getByLabel('Choose a photo', { exact: true }).setInputFiles({ name: 'shop.png', mimeType: 'image/png', buffer: png(1200, 600) });
  await page.locator('[data-crop]').waitFor();
  const slider = page.getByLabel('Left and right', { exact: true });
  await slider.focus();
  await page.keyboard.press('End');
  await looksRight(page, 'profile with a photo to cut');

  // One thing is wrong: the rest stays, the photo too.
  await button(page, 'Save profile').click();
  await page.getByText('Shorten this by 3 characters: at most 512 fit.').waitFor();
  assert.match(await page.title(), /^Problem: /);
  await page.getByText('The one you chose is kept.').waitFor();
  await looksRight(page, 'profile with a fault');
  await page.getByLabel('Description', { exact: true }).fill('Fresh each day');

  // Meanwhile on the phone.
  await onPhone(demo, phone, { about: 'Closed on Monday', address: 'Pier 2' });
  await button(page, 'Save profile').click();
  await page.getByRole('heading', { name: 'Somebody changed the profile meanwhile' }).waitFor();
  await looksRight(page, 'profile conflict');
  const about = page.getByRole('group', { name: 'About', exact: true });
  assert.ok(await about.getByLabel('What you entered').isChecked());
  assert.match(await about.innerText(), /Bread & cakes 🥐[\s\S]*Closed on Monday/);
  const address = page.getByRole('group', { name: 'Address', exact: true });
  assert.ok(await address.getByLabel('What stands at WhatsApp now').isChecked(), 'what was not touched here stays as the phone left it');
  await button(page, 'Save what I chose').click();
  await said(page, 'The profile is saved.');

  const now = await onPhone(demo, phone);
  assert.deepEqual([now.about, now.address, now.vertical, now.description], ['Bread & cakes 🥐', 'Pier 2', 'RESTAURANT', 'Fresh each day']);
  assert.equal(now.picture.mime_type, 'image/jpeg');
  // The photo comes from us, square, and it is the right half.
  const photo = await page.locator('.avatar img').first().evaluate(async (image) => {
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
    canvas.getContext('2d').drawImage(image, 0, 0, 1, 1);
    return { width: image.naturalWidth, height: image.naturalHeight, own: new URL(image.src).origin === location.origin, dot: [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data] };
  });
  assert.deepEqual([photo.width, photo.height, photo.own], [640, 640, true]);
  assert.ok(photo.dot[2] > 150 && photo.dot[0] < 90, `blue: ${photo.dot}`);
  await page.getByText('What changed so far', { exact: true }).click();
  await page.getByText('Changed on the phone or at Meta', { exact: true }).waitFor();
  await looksRight(page, 'profile saved');
}, { allow: [/status of 4(09|22)/] }));

test('without JavaScript, and for two more numbers', { timeout: 240_000 }, () => journey(browser, 'profile without script', async ({ page, context, demo, sandbox }) => {
  await sandbox.play('several_numbers');
  await connected(page, demo, sandbox);
  const numbers = (await sandbox.state()).phones.slice(-3).map((phone) => phone.id);
  const state = await context.storageState();
  const plain = await browser.newContext({ storageState: state, javaScriptEnabled: false, locale: 'en-US' });
  const bare = await plain.newPage();
  await bare.goto(`${page.url()}/numbers/${numbers[0]}/profile`);
  const choose = (buffer) => bare.getByLabel(/^Choose a/).setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer });
  await choose(png(640, 300));
  await bare.getByLabel('About', { exact: true }).fill('Bread');
  await button(bare, 'Save profile').click();
  await bare.getByText('The photo must be square; this one has 640 × 300 pixels.').waitFor();
  assert.equal(await bare.getByLabel('About', { exact: true }).inputValue(), 'Bread');
  await choose(png(640, 640));
  for (const box of await bare.getByRole('checkbox').all()) await box.check();
  await button(bare, 'Save profile').click();
  await bare.getByText('The profile is saved, and is being saved for 2 more numbers.').waitFor();
  for (let tries = 0; await bare.getByText('Being saved', { exact: true }).count() > 0; tries += 1) {
    assert.ok(tries < 100, 'the copies do not end');
    await bare.waitForTimeout(200);
    await bare.reload();
  }
  await plain.close();
  for (const number of numbers) {
    const profile = await onPhone(demo, number);
    assert.equal(profile.about, 'Bread');
    assert.equal(profile.picture.mime_type, 'image/png');
  }
  await page.goto(`${page.url()}/numbers/${numbers[0]}/profile`);
  await page.getByRole('heading', { name: 'What became of the other numbers' }).waitFor();
  await looksRight(page, 'profile copies');
}));
