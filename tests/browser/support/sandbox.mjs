// Client of the sandbox's control endpoints: what shall happen next, and what was asked of Graph.
import assert from 'node:assert/strict';

/** The sandbox's names of what the popup can be told to do. */
export const scenario = {
  severalAccounts: 'several_wabas',
  eventLost: 'event_lost',
  codeLost: 'code_lost',
  staleGrant: 'stale_grant',
  cancelAt: (step) => `cancel:${step}`,
  closeAt: (step) => `close:${step}`,
};

export class Sandbox {
  constructor(origin) {
    this.origin = origin;
  }

  /** The next `times` signups go this way. */
  async play(scenarios, times = 1) {
    return this.#send('POST', 'scenario', { scenarios: [scenarios].flat(), times });
  }

  /** The next `times` Graph calls to `path` (any, if left out) meet this fault. */
  async fault(fault, { times = 1, path } = {}) {
    return this.#send('POST', 'faults', { fault, times, path });
  }

  async clear() {
    await this.#send('DELETE', 'scenario');
    await this.#send('DELETE', 'faults');
  }

  /** A signup finished without a browser: only its webhook tells of it. */
  async signUp(body = {}) {
    return this.#send('POST', 'signups', body);
  }

  /** Every Graph call so far, oldest first: { method, path, query, status, ... }. */
  async requests() {
    const answer = await this.#send('GET', 'requests');
    return Array.isArray(answer) ? answer : answer.requests;
  }

  /** The sandbox's state: app, businesses, wabas, phones, masked tokens. */
  async state() {
    return this.#send('GET', 'state');
  }

  /** Changes settings of the operator's app at Meta. */
  async app(settings) {
    return this.#send('POST', 'app', settings);
  }

  /** Changes what else the operator's dashboard at Meta holds. */
  async dashboard(settings) {
    return this.#send('POST', 'dashboard', settings);
  }

  /** An app of a customer's own, with a token and an account: { app_id, app_secret, token, waba_id, ... }. */
  async ownApp(body = {}) {
    return this.#send('POST', 'apps', body);
  }

  /** What that customer enters in the app's dashboard: *Verify and save*. */
  async saveCallback(body) {
    return this.#send('POST', 'apps/callback', body);
  }

  /** The tokens of this account end. */
  async revoke(waba) {
    return this.#send('POST', 'tokens/revoke', { waba_id: waba });
  }

  /** Meta sends a webhook. */
  async webhook(body) {
    return this.#send('POST', 'webhooks', body);
  }

  /** Forgets what customers did. */
  async reset() {
    return this.#send('POST', 'reset', {});
  }

  async #send(method, name, body) {
    const response = await fetch(`${this.origin}/_sandbox/${name}`, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} /_sandbox/${name}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}
