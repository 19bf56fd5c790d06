// The attempt's page as machines read it: <main data-attempt data-reason>.
import assert from 'node:assert/strict';

const final = ['choose', 'done', 'failed'];

/** Waits until the attempt rests, asserts that it does so in `state`, and returns its reason. */
export async function expectAttempt(page, state, { timeout = 20_000 } = {}) {
  const resting = page.locator(final.map((name) => `main[data-attempt="${name}"]`).join(', '));
  try {
    await resting.waitFor({ timeout });
  } catch (error) {
    throw new Error(`the attempt did not rest within ${timeout} ms: ${await report(page)}`, { cause: error });
  }
  assert.equal(await resting.getAttribute('data-attempt'), state, await report(page));
  return resting.getAttribute('data-reason');
}

/**
 * Waits until the attempt has failed for `reason`, and asserts that its page helps a person who knows nothing
 * of Meta: one headline (`title`), what to do with one obvious next step, and details for support.
 */
export async function expectFailure(page, reason, { title, ...options } = {}) {
  assert.equal(await expectAttempt(page, 'failed', options), reason, await report(page));
  const main = page.locator('main');
  const headlines = await main.getByRole('heading', { level: 1 }).allInnerTexts();
  assert.equal(headlines.length, 1, `headlines: ${headlines}`);
  if (title) assert.match(headlines[0], title);
  assert.ok((await page.title()).includes(headlines[0]), `the page's title says what its headline says: ${await page.title()}`);
  const toDo = main.getByRole('region', { name: 'What to do' });
  assert.ok((await toDo.locator('p, li').first().innerText()).length > 10, 'it says what to do');
  const obvious = await main.locator('.btn-primary:visible, .btn-facebook:visible').allInnerTexts();
  assert.equal(obvious.length, 1, `obvious next steps: ${JSON.stringify(obvious)}\n${await report(page)}`);
  const details = main.locator('details').filter({ has: page.getByText('Details for support', { exact: true }) });
  await details.locator('summary').click();
  assert.match(await details.innerText(), new RegExp(`\\b${reason}\\b`), 'the details name the reason');
}

async function report(page) {
  const main = page.locator('main');
  const data = await main.evaluate((element) => ({ ...element.dataset })).catch(() => null);
  return `${page.url()} ${JSON.stringify(data)}\n${await main.innerText().catch(() => '(no main)')}`;
}
