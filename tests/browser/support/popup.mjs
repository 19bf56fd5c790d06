// Meta's signup popup, walked as a person does: the one primary button of each screen.
import assert from 'node:assert/strict';

const mostScreens = 20;

export function facebookButton(page) {
  return page.getByRole('button', { name: 'Continue with Facebook', exact: true });
}

/** Clicks `button` and returns the popup it opens. */
export async function openPopup(page, button = facebookButton(page)) {
  const [popup] = await Promise.all([page.waitForEvent('popup'), button.click()]);
  await popup.waitForLoadState('domcontentloaded');
  return popup;
}

/**
 * Clicks the primary button of each screen until the popup closes, and returns
 * the headings seen. `onScreen({ popup, heading, number })` runs before each
 * click (numbers from 1); `stopAt`, a number or a pattern of the heading,
 * leaves the popup open on that screen.
 */
export async function walk(popup, { stopAt, onScreen } = {}) {
  const headings = [];
  const primary = popup.getByRole('button', { name: /^(Continue|Confirm|Finish)\b/ });
  while (await present(popup, primary)) {
    assert.ok(headings.length < mostScreens, `the popup never ends: ${headings.join(' > ')}`);
    const heading = (await popup.getByRole('heading', { level: 1 }).innerText()).trim();
    headings.push(heading);
    await onScreen?.({ popup, heading, number: headings.length });
    if (typeof stopAt === 'number' ? headings.length === stopAt : stopAt?.test(heading)) return headings;
    await clickThrough(popup, primary, heading);
  }
  assert.ok(headings.length > 0, 'the popup closed before it showed a screen');
  assert.equal(stopAt, undefined, `the popup closed before screen ${stopAt}: ${headings.join(' > ')}`);
  return headings;
}

/** The whole way: opens the popup with `button` and walks it. */
export async function goThroughPopup(page, { button, ...options } = {}) {
  const popup = await openPopup(page, button);
  return walk(popup, options);
}

/**
 * One more try from the page that shows: opens the popup with one click, lets `inside` deal with it (walks it,
 * if left out) and waits until the page has gone on to the attempt's own address.
 */
export async function tryOnce(page, inside = walk) {
  const before = page.url();
  await inside(await openPopup(page));
  await page.waitForURL((url) => url.href !== before && url.pathname.startsWith('/connect/attempts/'));
  // The address changes when the window opens, so that a tab that is discarded meanwhile comes back to it.
  await page.waitForFunction(() => location.pathname.endsWith(document.querySelector('main[data-version]')?.dataset.id));
}

/** *Cancel* on the screen that is shown. */
export async function cancel(popup) {
  const closed = popup.waitForEvent('close');
  await unlessClosed(popup, () => popup.getByRole('button', { name: 'Cancel', exact: true }).click());
  await closed;
}

/** The window's own cross. */
export async function closeWindow(popup) {
  await popup.close();
}

/** True once the primary button is there, false once the popup is closed. */
async function present(popup, primary) {
  return unlessClosed(popup, () => primary.waitFor());
}

/** Clicks, and waits until another screen has come or the popup has gone. */
async function clickThrough(popup, primary, heading) {
  await popup.evaluate(() => { window.screenLeft = true; });
  const before = { heading, href: popup.url() };
  await unlessClosed(popup, async () => {
    await primary.click();
    await popup.waitForFunction(({ heading: was, href }) => {
      const now = document.querySelector('h1')?.innerText.trim();
      return !window.screenLeft || location.href !== href || (now !== undefined && now !== was);
    }, before);
  });
}

async function unlessClosed(popup, work) {
  if (popup.isClosed()) return false;
  try {
    await work();
    return true;
  } catch (error) {
    // A click that closes its own window is reported as an error by the driver.
    if (popup.isClosed() || /has been closed/.test(String(error))) return false;
    throw error;
  }
}
