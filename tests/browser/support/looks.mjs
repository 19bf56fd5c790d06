// What every page is held against: axe, and no scrolling sideways, at both widths.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertAccessible } from './axe.mjs';
import { desktop, phone } from './browser.mjs';

/** Where pictures of every page go, for whoever wants to look at them. */
const pictures = process.env.DOORWAY_PICTURES;

/** How long a page may take to be laid out: its style may come after its words. */
const LAID_OUT_MS = 3_000;

/** No scrolling sideways, once the page is laid out. */
export async function assertFits(page, name) {
  const measure = () => page.evaluate(() => ({ content: document.scrollingElement.scrollWidth, view: window.innerWidth }));
  const until = Date.now() + LAID_OUT_MS;
  let size = await measure();
  while (size.content > size.view && Date.now() < until) {
    await page.waitForTimeout(100);
    size = await measure();
  }
  assert.ok(size.content <= size.view, `${name} is ${size.content} px wide in a window of ${size.view} px`);
}

/** No axe violation and no scrolling sideways, at both widths and in both themes. */
export async function looksRight(page, name) {
  const usual = page.viewportSize();
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    await assertFits(page, name);
    await assertAccessible(page, name);
    if (!pictures) continue;
    mkdirSync(pictures, { recursive: true });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(pictures, `${name.replaceAll(' ', '-')}-${viewport.width}-${colorScheme}.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: null });
  }
  await page.setViewportSize(usual);
}
