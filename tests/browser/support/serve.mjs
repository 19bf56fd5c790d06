// `doorway serve` and `doorway sandbox` as two processes, configured by environment.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropDatabase, makeDatabase } from './database.mjs';
import { freePorts, recordArgs, Run } from './process.mjs';

export class Serve {
  /**
   * `env` goes over the defaults; a value of null takes a setting away
   * (DOORWAY_META_ES_CONFIG_ID: null gives plain OAuth).
   * `users`: [{ email, password, role, company }].
   * `webhook`: whether the app's callback is registered at Meta already.
   */
  static async start({ env = {}, users = [], webhook = true } = {}) {
    const serve = new Serve();
    const [portalPort, sandboxPort] = await freePorts(2);
    serve.portal = `http://localhost:${portalPort}`;
    serve.sandbox = `http://127.0.0.1:${sandboxPort}`;
    serve.dataDir = await mkdtemp(join(tmpdir(), 'doorway-serve-'));
    serve.database = await makeDatabase(serve.dataDir);
    const appId = '1029384756102938';
    const configId = '564738291056473';
    const appSecret = randomBytes(16).toString('hex');
    const systemToken = `EAAP${randomBytes(24).toString('hex')}ZD`;
    const verifyToken = randomBytes(16).toString('hex');
    serve.app = { appId, appSecret, configId, systemToken, verifyToken };
    const settings = {
      DOORWAY_LISTEN: `127.0.0.1:${portalPort}`,
      DOORWAY_PUBLIC_URL: serve.portal,
      DOORWAY_DATABASE_URL: serve.database,
      DOORWAY_SECRET_KEY: randomBytes(32).toString('base64'),
      DOORWAY_META_GRAPH_URL: serve.sandbox,
      DOORWAY_META_DIALOG_URL: serve.sandbox,
      DOORWAY_META_SDK_URL: `${serve.sandbox}/en_US/sdk.js`,
      DOORWAY_META_APP_ID: appId,
      DOORWAY_META_APP_SECRET: appSecret,
      DOORWAY_META_ES_CONFIG_ID: configId,
      DOORWAY_META_VERIFY_TOKEN: verifyToken,
      DOORWAY_META_SYSTEM_TOKEN: systemToken,
      DOORWAY_OPERATOR_NAME: 'Northwind Messaging',
      DOORWAY_SUPPORT_EMAIL: 'help@northwind.example',
      // Journeys about something else sign in in one step.
      DOORWAY_STAFF_TOTP: 'false',
      ...env,
    };
    serve.env = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
    try {
      serve.sandboxRun = new Run([
        'sandbox', '--addr', `127.0.0.1:${sandboxPort}`, '--data-dir', join(serve.dataDir, 'sandbox'),
        '--app-id', appId, '--app-secret', appSecret, '--config-id', configId, '--system-token', systemToken,
        '--redirect-uri', `${serve.portal}/auth/whatsapp/callback`, '--allowed-domain', `localhost:${portalPort}`,
        ...(webhook ? ['--callback-url', `${serve.portal}/webhooks/whatsapp`, '--verify-token', verifyToken] : []), ...recordArgs(),
      ]);
      await serve.sandboxRun.ready(`${serve.sandbox}/en_US/sdk.js`);
      for (const user of users) await serve.createUser(user);
      await serve.startPortal();
    } catch (error) {
      await serve.remove();
      throw error;
    }
    return serve;
  }

  /** Starts the portal, also again after `killPortal`; the sandbox runs on meanwhile. */
  async startPortal() {
    this.log = `${this.log ?? ''}${this.run?.stderr ?? ''}`;
    this.run = new Run(['serve'], { env: this.env });
    await this.run.ready(`${this.portal}/readyz`);
  }

  /** kill -9 of the portal alone. */
  async killPortal() {
    await this.run.kill();
  }

  get stderr() {
    return `${this.log ?? ''}${this.run?.stderr ?? ''}${this.sandboxRun?.stderr ?? ''}`;
  }

  async createUser({ email, password, role, company }) {
    const args = ['user', 'create', email, '--role', role];
    if (company) args.push('--company', company);
    await new Run(args, { env: this.env, input: `${password}\n` }).done();
  }

  async stop() {
    try {
      await this.run.stop();
      await this.sandboxRun.stop();
    } finally {
      await this.remove();
    }
  }

  async remove() {
    for (const run of [this.run, this.sandboxRun]) {
      if (run?.running) await run.kill();
    }
    await dropDatabase(this.database);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
