// The popup's half of the conversation: message events to the opener, the code through the SDK's channel.
const HALVES_MS = 150;
const CLOSE_MS = 150;

const main = document.querySelector('main');
const { opener: origin, channel, event, closeEvent, code, delay, cancelEvent } = main.dataset;

function post(message) {
  if (window.opener && origin && message) window.opener.postMessage(message, origin);
}

if ('ending' in main.dataset) {
  if (closeEvent) {
    addEventListener('pagehide', () => post(closeEvent));
    setTimeout(() => window.close(), CLOSE_MS);
  } else {
    post(event);
    setTimeout(() => {
      if (code) post(new URLSearchParams({ cb: channel, code }).toString());
      if (origin) setTimeout(() => window.close(), CLOSE_MS);
    }, HALVES_MS + Number(delay || 0));
  }
} else if (origin) {
  // Leaving by the window's own button is told like a click on Cancel; going on to the next screen is not.
  let going = false;
  const stay = () => { going = true; };
  document.addEventListener('submit', stay);
  window.navigation?.addEventListener('navigate', stay);
  addEventListener('pageshow', () => { going = false; });
  addEventListener('pagehide', () => { if (!going) post(cancelEvent); });
}
