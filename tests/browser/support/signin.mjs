// The demo's people, and the way in that they take.
const password = 'doorway-demo';

export const people = {
  admin: { email: 'admin@demo.localhost', password },
  support: { email: 'support@demo.localhost', password },
  customer: { email: 'customer@demo.localhost', password },
};

export async function signIn(page, portal, person) {
  await page.goto(`${portal}/signin`);
  await page.getByLabel('E-mail', { exact: true }).fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((url) => url.origin === portal && url.pathname !== '/signin');
}
