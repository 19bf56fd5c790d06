// The sandbox's JavaScript SDK: FB.init and FB.login as far as Embedded Signup needs them.
(() => {
  'use strict';
  if (window.FB) return;
  const ORIGIN = '__SANDBOX_ORIGIN__';
  const POLL_MS = 250;
  // A message posted just before the popup closed may still be on its way.
  const GRACE_MS = 500;
  let settings = null;
  let attempts = 0;

  const unknown = () => ({ authResponse: null, status: 'unknown' });
  const call = (callback, answer) => { if (typeof callback === 'function') callback(answer); };

  function init(options) {
    settings = { version: 'v25.0', ...options };
  }

  function address(options, channel) {
    const query = new URLSearchParams({
      display: 'popup',
      client_id: String(settings.appId ?? ''),
      response_type: options.response_type ?? 'code',
      origin: location.origin,
      channel,
    });
    if (options.config_id) query.set('config_id', String(options.config_id));
    if (options.scope) query.set('scope', String(options.scope));
    if (options.extras) query.set('extras', JSON.stringify(options.extras));
    return `${ORIGIN}/${settings.version}/dialog/oauth?${query}`;
  }

  function login(callback, options = {}) {
    if (!settings) {
      console.error('FB.login() called before FB.init().');
      return;
    }
    attempts += 1;
    const channel = `f${Date.now().toString(36)}${attempts}`;
    const left = Math.max(0, Math.round(screenX + (outerWidth - 600) / 2));
    const features = `popup,width=600,height=700,left=${left},top=${Math.max(0, screenY + 40)}`;
    const popup = window.open(address(options, channel), `sandbox_${channel}`, features);
    if (!popup) {
      console.warn('The sandbox\'s popup was blocked by the browser.');
      setTimeout(() => call(callback, unknown()), 0);
      return;
    }
    let over = false;
    // The message event of a window that is closed on its current screen.
    let closed = '';
    const end = (answer) => {
      if (over) return;
      over = true;
      clearInterval(timer);
      removeEventListener('message', receive);
      call(callback, answer);
    };
    const receive = (event) => {
      if (event.origin !== ORIGIN || typeof event.data !== 'string') return;
      const message = new URLSearchParams(event.data);
      if (message.get('cb') !== channel) return;
      if (message.has('closed')) closed = message.get('closed');
      const code = message.get('code');
      if (!code) return;
      end({
        authResponse: { userID: null, expiresIn: null, code },
        status: 'connected',
      });
    };
    addEventListener('message', receive);
    const timer = setInterval(() => {
      if (!popup.closed) return;
      clearInterval(timer);
      setTimeout(() => {
        if (over) return;
        if (closed) dispatchEvent(new MessageEvent('message', { data: closed, origin: ORIGIN }));
        end(unknown());
      }, GRACE_MS);
    }, POLL_MS);
  }

  const later = (callback) => setTimeout(() => call(callback, unknown()), 0);
  window.FB = {
    init,
    login,
    getLoginStatus: later,
    logout: later,
    getAuthResponse: () => null,
    Event: { subscribe() {}, unsubscribe() {} },
    AppEvents: { logEvent() {}, logPageView() {}, activateApp() {} },
    XFBML: { parse() {} },
  };
  if (typeof window.fbAsyncInit === 'function') setTimeout(() => window.fbAsyncInit(), 0);
})();
