// axe-core on a page as it stands, in both themes.
import assert from 'node:assert/strict';
import axe from 'axe-core';

/** Asserts that axe-core finds nothing on `page`, in light and in dark. */
export async function assertAccessible(page, name = page.url()) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const found = await violations(page);
    const { width } = page.viewportSize() ?? {};
    assert.equal(found.length, 0, `axe-core on ${name}, ${colorScheme}, ${width} px:\n${found.map(describe).join('\n')}`);
  }
  await page.emulateMedia({ colorScheme: null });
}

async function violations(page) {
  // Through the debugger's own door, which the page's CSP does not watch.
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // A colour halfway through a transition is nobody's choice.
    for (const animation of document.getAnimations()) {
      if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
    }
    const result = await window.axe.run(document, { resultTypes: ['violations'], iframes: false });
    return result.violations.map(({ id, impact, help, nodes }) => ({
      id, impact, help, nodes: nodes.map(({ target, failureSummary }) => ({ target: target.join(' '), failureSummary })),
    }));
  });
}

function describe({ id, impact, help, nodes }) {
  const places = nodes.map(({ target, failureSummary }) => `    ${target}: ${failureSummary.replace(/\s+/g, ' ')}`);
  return [`  ${id} (${impact}): ${help}`, ...places].join('\n');
}
