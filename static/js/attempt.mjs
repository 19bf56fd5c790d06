// Keeps an attempt's page up to date: the server says when something has changed, the page fetches
// itself and swaps its main part. Without this script it reloads itself.
import { mountLauncher } from "./launcher.mjs";
import { readEvent, isMeta } from "./origins.mjs";
import { post } from "./post.mjs";

let unmount = null;

function main() {
  return document.querySelector("main[data-attempt]");
}

function mount() {
  unmount?.();
  const root = document.querySelector("[data-launch]");
  unmount = root ? mountLauncher(root) : null;
}

let refreshing = Promise.resolve();

async function refresh(version) {
  if (version !== undefined && Number(version) <= Number(main().dataset.version)) return;
  const response = await fetch(`/connect/attempts/${main().dataset.id}`, { headers: { accept: "text/html" }, credentials: "same-origin" });
  if (response.redirected) {
    // Signed out: the sign-in page leads back here.
    location.assign(response.url);
    return;
  }
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const [before, after] = [main(), fresh.querySelector("main[data-attempt]")];
  // Nothing that somebody is filling in is taken away, and no launched window forgotten.
  const busy = before.dataset.attempt === "choose" && after?.dataset.attempt === "choose";
  const open = ["open", "sending"].includes(document.querySelector("[data-launch]")?.dataset.launch);
  if (!after || busy || open) return;
  document.title = fresh.title;
  if (before.dataset.attempt === "working" && after.dataset.attempt === "working" && update(before, after)) return;
  before.replaceWith(after);
  mount();
  if (before.dataset.attempt !== after.dataset.attempt) after.querySelector("h1").focus();
}

// While it works, only what has changed is touched: a screen reader says the new line, focus and open
// details stay.
function update(before, after) {
  const parts = ["h1", ".lead", ".journey", ".steps"].map((part) => [before.querySelector(part), after.querySelector(part)]);
  const sections = (page) => [...page.children].map((child) => child.tagName + child.className).join();
  if (sections(before) !== sections(after) || parts.some(([old, now]) => !old || !now)) return false;
  for (const [old, now] of parts) {
    if (old.innerHTML !== now.innerHTML) old.innerHTML = now.innerHTML;
  }
  before.dataset.version = after.dataset.version;
  before.dataset.reason = after.dataset.reason;
  return true;
}

function watch() {
  const stream = new EventSource(`/connect/attempts/${main().dataset.id}/stream`);
  stream.addEventListener("change", (event) => {
    refreshing = refreshing.then(() => refresh(event.data)).catch(() => {});
    refreshing.then(() => {
      if (main().dataset.attempt === "done") stream.close();
    });
  });
  // The browser reconnects by itself, except where the server refused.
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED && main().dataset.attempt === "working") {
      setTimeout(() => refresh().finally(watch), 3000);
    }
  });
}

// The event may come after this page was opened: the window still knows its opener.
window.addEventListener("message", (message) => {
  const launcher = document.querySelector("[data-launch]");
  if (launcher && ["open", "sending"].includes(launcher.dataset.launch)) return;
  if (!isMeta(message.origin, main().dataset.dialogOrigin)) return;
  const event = readEvent(message.data);
  if (event) post(`/connect/attempts/${main().dataset.id}/event`, main().dataset.csrf, event).catch(() => {});
});

mount();
if (main().dataset.attempt !== "done") watch();
