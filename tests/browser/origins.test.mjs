// Whose message events count, by themselves: static/js/origins.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMeta, readEvent } from '../../static/js/origins.mjs';

const meta = 'https://www.facebook.com';
const sandbox = 'https://127.0.0.1:8090';

test('facebook.com and its subdomains count, on https', () => {
  for (const origin of ['https://facebook.com', 'https://www.facebook.com', 'https://m.facebook.com', 'https://business.facebook.com']) {
    assert.equal(isMeta(origin, meta), true, origin);
    assert.equal(isMeta(origin, sandbox), true, `${origin} beside another dialog`);
    assert.equal(isMeta(origin, undefined), true, origin);
  }
});

test('nothing that only looks like it', () => {
  const strangers = [
    'https://evilfacebook.com', 'https://facebook.com.evil.example', 'https://www.facebook.com.evil.example',
    'https://facebook.co', 'https://facebook.com@evil.example', 'https://evil.example/facebook.com',
    'https://evil.example#.facebook.com', 'http://facebook.com', 'http://www.facebook.com', 'ftp://facebook.com',
    'https://xn--facebok-y0a.com', 'facebook.com', '.facebook.com', 'null', '', null, undefined,
  ];
  for (const origin of strangers) {
    for (const dialog of [meta, sandbox, undefined, '', 'null']) {
      if (origin === 'null' && dialog === 'null') continue;
      assert.equal(isMeta(origin, dialog), false, `${origin} with the dialog at ${dialog}`);
    }
  }
});

test('another dialog counts by its exact origin only', () => {
  assert.equal(isMeta(sandbox, sandbox), true);
  assert.equal(isMeta(sandbox, meta), false);
  for (const near of ['http://127.0.0.1:8090', 'https://127.0.0.1:8091', 'https://127.0.0.1', 'https://localhost:8090', 'https://x.127.0.0.1:8090']) {
    assert.equal(isMeta(near, sandbox), false, near);
  }
});

test('events are read as Meta sends them, and nothing else', () => {
  const event = { type: 'WA_EMBEDDED_SIGNUP', event: 'FINISH', data: { waba_id: '1' }, version: 3 };
  assert.deepEqual(readEvent(JSON.stringify(event)), event);
  assert.deepEqual(readEvent(event), event);
  for (const other of ['', 'cb=f1&code=x', '{', 'null', '[]', '"WA_EMBEDDED_SIGNUP"', '{"type":"OTHER"}', null, undefined, 7, []]) {
    assert.equal(readEvent(other), null, String(other));
  }
});
