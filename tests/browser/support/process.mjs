// Starting, watching and ending the `doorway` binary.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { setDefaultResultOrder } from 'node:dns';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Doorway listens on 127.0.0.1; Node may otherwise try ::1 for `localhost`.
setDefaultResultOrder('ipv4first');

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = process.env.DOORWAY_BINARY ?? join(root, 'target/debug/doorway');

/** Ports of 127.0.0.1 that nobody listens on, all different. */
export async function freePorts(count) {
  const servers = [];
  for (let i = 0; i < count; i += 1) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

let recordings = 0;

/** `--record FILE` with a file of its own for each start, where exchanges are wanted. */
export function recordArgs() {
  const folder = process.env.DOORWAY_RECORD_DIR;
  if (!folder) return [];
  mkdirSync(folder, { recursive: true });
  recordings += 1;
  return ['--record', join(folder, `${process.pid}-${recordings}.jsonl`)];
}

/** One run of the binary; what it logs gathers in `stderr`. */
export class Run {
  stdout = '';
  stderr = '';

  constructor(args, { env = {}, input } = {}) {
    this.name = `doorway ${args[0]}`;
    this.child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    // A program that ends before it reads its input is judged by its status.
    this.child.stdin.on('error', () => {});
    this.child.stdin.end(input ?? '');
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    // Whoever waits sees the failure; until then it must not end the test process.
    this.exited.catch(() => {});
    this.onExit = () => this.child.kill('SIGKILL');
    process.once('exit', this.onExit);
    this.exited.finally(() => process.off('exit', this.onExit)).catch(() => {});
  }

  get running() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves once `url` answers 200; rejects when the program ends or the time is over. */
  async ready(url, timeout = 20_000) {
    const end = Date.now() + timeout;
    let ended = false;
    this.exited.then(() => { ended = true; }, () => { ended = true; });
    for (;;) {
      const status = await fetch(url, { redirect: 'manual' }).then(
        async (response) => { await response.arrayBuffer(); return response.status; },
        () => null,
      );
      if (status === 200) return;
      if (ended || Date.now() > end) {
        const why = ended ? 'ended before it was ready' : `did not answer 200 at ${url} (last: ${status})`;
        throw new Error(`${this.name} ${why}\n${this.stdout}${this.stderr}`);
      }
      await new Promise((done) => setTimeout(done, 25));
    }
  }

  /** As a power cut would end it. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** As an operator ends it: SIGTERM, and status 0 within `within` milliseconds. */
  async stop(within = 2_000) {
    if (!this.running) return;
    const began = Date.now();
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), within + 5_000);
    const { code, signal } = await this.exited;
    clearTimeout(late);
    const took = Date.now() - began;
    if (code !== 0 || took > within) {
      throw new Error(`${this.name}: SIGTERM ended with ${signal ?? `status ${code}`} after ${took} ms\n${this.stderr}`);
    }
  }

  /** Waits for a program that ends by itself; throws unless with status 0. */
  async done() {
    const { code, signal } = await this.exited;
    if (code !== 0) throw new Error(`${this.name} ended with ${signal ?? `status ${code}`}\n${this.stderr}`);
    return this.stdout;
  }
}
