// `doorway demo`: portal and sandbox in one process, seeded with three people.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropDatabase, makeDatabase } from './database.mjs';
import { freePorts, recordArgs, Run } from './process.mjs';

export class Demo {
  /** Starts one on free ports with a data directory of its own. */
  static async start({ args = [], env = {} } = {}) {
    const demo = new Demo();
    [demo.portalPort, demo.sandboxPort] = await freePorts(2);
    demo.portal = `http://localhost:${demo.portalPort}`;
    demo.sandbox = `http://127.0.0.1:${demo.sandboxPort}`;
    demo.dataDir = await mkdtemp(join(tmpdir(), 'doorway-demo-'));
    demo.database = await makeDatabase(demo.dataDir);
    demo.args = args;
    demo.env = env;
    demo.log = '';
    try {
      await demo.launch();
    } catch (error) {
      await demo.remove();
      throw error;
    }
    return demo;
  }

  async launch() {
    this.run = new Run([
      'demo',
      '--portal-addr', `127.0.0.1:${this.portalPort}`,
      '--sandbox-addr', `127.0.0.1:${this.sandboxPort}`,
      '--data-dir', this.dataDir,
      '--database-url', this.database,
      ...recordArgs(),
      ...this.args,
    ], { env: this.env });
    await this.run.ready(`${this.portal}/readyz`);
  }

  /** All that this demo logged, earlier runs included. */
  get stderr() {
    return this.log + this.run.stderr;
  }

  /** kill -9. */
  async kill() {
    await this.run.kill();
  }

  /** Starts again on the same ports and data, after `kill` or of a running one by SIGTERM. */
  async restart() {
    await this.run.stop();
    this.log += this.run.stderr;
    await this.launch();
  }

  /** Ends it and removes its data; throws unless it ends as it promises. */
  async stop() {
    try {
      await this.run.stop();
    } finally {
      await this.remove();
    }
  }

  async remove() {
    if (this.run?.running) await this.run.kill();
    await dropDatabase(this.database);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
