// A page on which something goes on by itself: looks whether it has gone a step further, and shows it then.
const main = document.querySelector("main[data-poll]");
const seconds = Number(main.dataset.poll) || 3;

async function look() {
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (response.ok && !response.redirected) {
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main[data-poll]");
      if (fresh && fresh.dataset.version !== main.dataset.version) {
        location.replace(location.href);
        return;
      }
    }
  } catch {
    // Offline: the next look will tell.
  }
  setTimeout(look, seconds * 1000);
}

setTimeout(look, seconds * 1000);
