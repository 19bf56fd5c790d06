// Opens Facebook's window and brings its two halves to the portal: the code from the SDK's callback and
// the message event. They come in either order, and either may never come.
import { isMeta, readEvent } from "./origins.mjs";
import { NotSent, post } from "./post.mjs";

const SDK_TIMEOUT_MS = 12_000;
// The event may be a little later than the code: it is only a hint, so it is not waited for long.
const EVENT_GRACE_MS = 400;

// The attempt's address was pushed onto this page's own, so going back between the two changes the address
// alone: the page that belongs to it is loaded.
window.addEventListener("popstate", () => location.reload());

let sdk; // A promise: the SDK is loaded and initialised once for each page.

function loadSdk(root) {
  sdk ??= new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the SDK did not come in time")), SDK_TIMEOUT_MS);
    window.fbAsyncInit = () => {
      clearTimeout(timer);
      window.FB.init({
        appId: root.dataset.appId,
        version: root.dataset.version,
        autoLogAppEvents: false,
        xfbml: false,
        cookie: false,
      });
      resolve(window.FB);
    };
    const script = document.createElement("script");
    script.src = root.dataset.sdk;
    script.async = true;
    script.crossOrigin = "anonymous";
    script.nonce = root.dataset.nonce;
    script.onerror = () => {
      clearTimeout(timer);
      reject(new Error("the SDK could not be loaded"));
    };
    document.head.append(script);
  });
  return sdk;
}

// Whether window.open was refused while `action` ran: the SDK does not tell.
function runAndSeeIfBlocked(action) {
  const open = window.open;
  let refused = false;
  window.open = (...args) => {
    const opened = open.apply(window, args);
    refused = opened === null;
    return opened;
  };
  try {
    action();
  } finally {
    window.open = open;
  }
  return refused;
}

export function mountLauncher(root) {
  const button = root.querySelector("[data-continue]");
  const status = root.querySelector('[role="status"]');
  const { csrf, dialogOrigin } = root.dataset;
  let run = null; // The window that is open now, if one is.

  // What the attempt begins with: also which connection is to be connected again, and by which link.
  function beginning() {
    const { reconnect, link } = root.dataset;
    return { coexistence: root.querySelector("#keep-app").checked, reconnect, link };
  }

  function show(state) {
    root.dataset.launch = state;
    for (const element of root.querySelectorAll("[data-when]")) {
      element.hidden = !element.dataset.when.split(" ").includes(state);
    }
    button.disabled = !["ready", "blocked"].includes(state);
    if (["missing", "blocked", "open", "unsent"].includes(state)) status.focus();
  }

  function unsent(error) {
    const expired = error instanceof NotSent && (error.status === 401 || error.status === 403);
    if (expired) {
      root.querySelector("[data-unsent]").textContent =
        "You were signed out meanwhile. Start again: you sign in, and Facebook remembers what you chose.";
    }
    show("unsent");
  }

  function start(FB) {
    const mine = { attempt: null, events: [], answered: false };
    // The window opens in the click itself: nothing is awaited before.
    const blocked = runAndSeeIfBlocked(() => {
      FB.login((response) => answer(mine, response), {
        config_id: root.dataset.configId,
        response_type: "code",
        override_default_response_type: true,
        extras: {
          setup: JSON.parse(root.dataset.setup),
          ...(root.querySelector("#keep-app").checked ? { featureType: "whatsapp_business_app_onboarding" } : {}),
          sessionInfoVersion: "3",
        },
      });
    });
    if (blocked) {
      show("blocked");
      return;
    }
    run = mine;
    show("open");
    mine.attempt = post("/connect/attempts", csrf, beginning());
    // A phone may discard this tab while the window is open: what it loads again is then the attempt's page,
    // which listens for the event and shows what becomes of it.
    mine.attempt.then(({ url }) => {
      history.pushState(null, "", url);
      const main = root.closest("main");
      main.dataset.attempt = "working";
      main.dataset.reason = "waiting_for_facebook";
    }, () => {});
  }

  async function bringEvent(mine, event) {
    const { url } = await mine.attempt;
    await post(`${url}/event`, csrf, event);
  }

  // The SDK's callback: with a code, or without one where the window closed.
  async function answer(mine, response) {
    // A window that was given up and finished all the same counts, if it brings a code.
    if (mine.answered || (mine !== run && !response?.authResponse?.code)) return;
    mine.answered = true;
    show("sending");
    try {
      // If beginning failed for want of a network, it is tried once more: now there is something to keep.
      const { url } = await mine.attempt.catch(() => {
        mine.attempt = post("/connect/attempts", csrf, beginning());
        return mine.attempt;
      });
      const code = response?.authResponse?.code;
      if (code) await post(`${url}/code`, csrf, { code });
      await new Promise((resolve) => setTimeout(resolve, EVENT_GRACE_MS));
      await Promise.allSettled(mine.events);
      if (!code) await post(`${url}/closed`, csrf, {});
      location.assign(url);
    } catch (error) {
      unsent(error);
    }
  }

  const listener = (message) => {
    if (!run || !isMeta(message.origin, dialogOrigin)) return;
    const event = readEvent(message.data);
    if (event) run.events.push(bringEvent(run, event).catch(() => {}));
  };
  window.addEventListener("message", listener);

  root.querySelector("[data-again]").addEventListener("click", () => {
    // The old window may still be there: its event goes to its attempt until a new one opens.
    show("ready");
    button.focus();
  });
  // Back from the attempt's page: the browser shows this one as it was left.
  window.addEventListener("pageshow", (shown) => {
    if (shown.persisted) location.reload();
  });

  show("loading");
  loadSdk(root).then(
    (FB) => {
      button.addEventListener("click", () => start(FB));
      show("ready");
    },
    () => show("missing"),
  );
  return () => window.removeEventListener("message", listener);
}
