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

async function report(page) {
  const main = page.locator('main');
  const data = await main.evaluate((element) => ({ ...element.dataset })).catch(() => null);
  return `${page.url()} ${JSON.stringify(data)}\n${await main.innerText().catch(() => '(no main)')}`;
}
