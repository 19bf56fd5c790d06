// What every page is held against: axe, and no scrolling sideways, at both widths.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertAccessible } from './axe.mjs';
import { desktop, phone } from './browser.mjs';

/** Where pictures of every page go, for whoever wants to look at them. */
const pictures = process.env.DOORWAY_PICTURES;

/** No axe violation and no scrolling sideways, at both widths and in both themes. */
export async function looksRight(page, name) {
  const usual = page.viewportSize();
  for (const viewport of [phone, desktop]) {
    await page.setViewportSize(viewport);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide at ${viewport.width} px`);
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
