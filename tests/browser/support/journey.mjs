// A journey: a demo and a signed-in browser of its own, held to a quiet console at its end.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newContext } from './browser.mjs';
import { Demo } from './demo.mjs';
import { root } from './process.mjs';
import { Sandbox } from './sandbox.mjs';
import { people, signIn } from './signin.mjs';

/**
 * Runs `steps({ page, context, demo, sandbox, faults })`. `person`: whom to
 * sign in (null: nobody). `allow`: patterns of faults the journey brings about.
 * `start` gives another server than the demo; it needs portal, sandbox, stderr, stop.
 */
export async function journey(browser, name, steps, options = {}) {
  const { person = people.customer, allow = [], start = () => Demo.start(), ...contextOptions } = options;
  const demo = await start();
  let context;
  try {
    const opened = await newContext(browser, contextOptions);
    context = opened.context;
    const page = await context.newPage();
    if (person) await signIn(page, demo.portal, person);
    await steps({ page, context, demo, sandbox: new Sandbox(demo.sandbox), faults: opened.faults });
    opened.faults.assertNone({ allow });
    // With its pages still open: an open event stream must not hold the server up.
    await demo.stop();
  } catch (error) {
    await keepEvidence(name, context, demo);
    throw error;
  } finally {
    await context?.close();
    await demo.remove();
  }
}

/** Screenshots and the server's log, for whoever looks into the failure. */
async function keepEvidence(name, context, demo) {
  const folder = join(root, 'target/browser-failures');
  const file = name.replace(/[^a-z0-9]+/gi, '-').toLowerCase();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${file}.log`), demo.stderr);
  for (const [index, page] of (context?.pages() ?? []).entries()) {
    await page.screenshot({ path: join(folder, `${file}-${index + 1}.png`), fullPage: true }).catch(() => {});
  }
}
