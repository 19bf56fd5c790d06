// The popup's half of the conversation: message events to the opener, the code through the SDK's channel.
const HALVES_MS = 150;
const CLOSE_MS = 150;

const main = document.querySelector('main');
const { opener: origin, channel, event, closeEvent, code, delay, cancelEvent } = main.dataset;

function post(message) {
  if (window.opener && origin && message) window.opener.postMessage(message, origin);
}

// What only the SDK understands.
function tell(members) {
  post(new URLSearchParams({ cb: channel, ...members }).toString());
}

if (!('ending' in main.dataset)) {
  // A message posted while a window closes is lost more often than not. So the SDK is told now what is
  // to be said should the window be closed on this screen.
  tell({ closed: cancelEvent });
} else if (closeEvent) {
  tell({ closed: closeEvent });
  setTimeout(() => window.close(), CLOSE_MS);
} else {
  tell({ closed: '' });
  post(event);
  setTimeout(() => {
    if (code) tell({ code });
    if (origin) setTimeout(() => window.close(), CLOSE_MS);
  }, HALVES_MS + Number(delay || 0));
}
