// Keeps an endpoint's pages up to date: the server says when they would look different, the page fetches itself and
// swaps the parts marked data-live. Without this script one reloads by hand.
const main = document.querySelector("main[data-stream]");
let refreshing = Promise.resolve();

async function refresh(version) {
  if (version === main.dataset.version) return;
  const response = await fetch(location.href.split("#")[0], { headers: { accept: "text/html" }, credentials: "same-origin" });
  // Signed out, or the page of a form that was sent: nothing to fetch again.
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const after = fresh.querySelector("main[data-stream]");
  if (!after) return;
  for (const part of main.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now) swap(part, now);
  }
  main.dataset.version = after.dataset.version;
}

// What somebody has opened stays open, and whoever is inside keeps their place.
function swap(part, now) {
  if (part.innerHTML === now.innerHTML) return;
  const open = new Set([...part.querySelectorAll("details[open][data-key]")].map((details) => details.dataset.key));
  const place = part.contains(document.activeElement) ? document.activeElement.closest("details[data-key]")?.dataset.key : null;
  part.innerHTML = now.innerHTML;
  for (const details of part.querySelectorAll("details[data-key]")) {
    if (open.has(details.dataset.key)) details.open = true;
    if (details.dataset.key === place) details.querySelector("summary").focus();
  }
}

function watch() {
  const stream = new EventSource(main.dataset.stream);
  stream.addEventListener("change", (event) => {
    refreshing = refreshing.then(() => refresh(event.data)).catch(() => {});
  });
  // The browser reconnects by itself, except where the server refused.
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(watch, 5000);
  });
}

watch();
