import { launch, newContext, phone, desktop } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';
import { Sandbox } from './support/sandbox.mjs';
import { people, signIn } from './support/signin.mjs';
const browser = await launch();
const demo = await Demo.start();
const sandbox = new Sandbox(demo.sandbox);
const { context } = await newContext(browser, { viewport: desktop });
const page = await context.newPage();
await signIn(page, demo.portal, people.admin);
const shot = async (name, path) => {
  await page.goto(demo.portal + path);
  for (const [size, viewport] of [['360', phone], ['1280', desktop]]) for (const colorScheme of ['light', 'dark']) {
    if (size === '360' && colorScheme === 'dark') continue;
    await page.setViewportSize(viewport); await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `/tmp/shots-c/${name}-${size}-${colorScheme}.png`, fullPage: true });
  }
};
await page.goto(demo.portal + '/backoffice/settings');
await page.getByRole('button', { name: 'Check now' }).click();
await page.waitForLoadState();
console.log(await page.locator('[data-summary]').innerText());
console.log(JSON.stringify(await page.locator('[data-finding]').evaluateAll((all) => all.map((li) => [li.dataset.finding, li.dataset.grade]))));
await shot('green', '/backoffice/settings');
await sandbox.dashboard({ icon_url: '', approved_permissions: [], subscribed: false });
await page.goto(demo.portal + '/backoffice/settings');
await page.getByRole('button', { name: 'Check now' }).click();
await page.waitForLoadState();
await shot('bad', '/backoffice/settings');
await shot('overview', '/backoffice');
await shot('golive', '/backoffice/go-live');
await page.goto(demo.sandbox + '/'); await page.setViewportSize(desktop);
await page.screenshot({ path: '/tmp/shots-c/sandbox.png', fullPage: true });
await page.locator('#dashboard').scrollIntoViewIfNeeded();
await page.getByLabel('There is an app icon').check();
await page.getByRole('button', { name: 'Set', exact: true }).click();
await page.waitForLoadState();
console.log('icon', await page.getByLabel('There is an app icon').isChecked());
await browser.close(); await demo.stop();
