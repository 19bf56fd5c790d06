// A real SMTP server on loopback, and what it received.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { freePorts } from './process.mjs';

const user = 'portal';
const password = 'a mail password: 100% secret';

export class MailServer {
  mails = [];
  /** Address to the answer with which it is refused. */
  refused = new Map();

  /** Chooses a port, and listens there unless `down`. */
  static async start({ down = false } = {}) {
    const mail = new MailServer();
    [mail.port] = await freePorts(1);
    if (!down) await mail.listen();
    return mail;
  }

  get env() {
    return {
      DOORWAY_SMTP_URL: `smtp://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}`,
      DOORWAY_MAIL_FROM: 'Northwind Messaging <portal@northwind.example>',
    };
  }

  async listen() {
    this.server = new SMTPServer({
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      authOptional: false,
      closeTimeout: 500,
      onAuth: (auth, session, done) => {
        const right = auth.username === user && auth.password === password;
        done(right ? null : new Error('wrong name or password'), right ? { user } : undefined);
      },
      onRcptTo: ({ address }, session, done) => {
        const answer = this.refused.get(address);
        if (!answer) return done();
        return done(Object.assign(new Error(answer.text), { responseCode: answer.code }));
      },
      onData: (stream, session, done) => {
        simpleParser(stream).then((parsed) => { this.mails.push(parsed); done(); }, done);
      },
    });
    // A client that goes away in the middle is no fault of the test's.
    this.server.on('error', () => {});
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server.server, 'listening');
  }

  async close() {
    if (this.server) await new Promise((done) => this.server.close(done));
    this.server = null;
  }

  /** The newest mail to `address`, once it is there; `after`: how many to it came before. */
  async to(address, { after = 0, timeout = 30_000 } = {}) {
    const end = Date.now() + timeout;
    for (;;) {
      const found = this.mails.filter((mail) => mail.to.value.some((to) => to.address === address));
      if (found.length > after) return found.at(-1);
      assert.ok(Date.now() < end, `no mail to ${address} in ${timeout} ms; there are ${this.mails.length}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** The one link in a mail; the plain text and the HTML part must have the same. */
export function linkIn(mail, portal) {
  const pattern = new RegExp(`${portal}/(?:invite|reset)/[\\w-]{43}`, 'g');
  const [text, html] = [mail.text, mail.html].map((part) => [...new Set(part.match(pattern) ?? [])]);
  assert.equal(text.length, 1, mail.text);
  assert.deepEqual(html, text);
  return text[0];
}
