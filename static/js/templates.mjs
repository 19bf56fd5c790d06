// While something is under way (templates are read, Meta looks at one) the page fetches itself and swaps its main part.
// Without this script one reloads by hand.
const PAUSE = 1000;

async function look() {
  let after;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!response.ok || response.redirected) return;
    after = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
  } catch {
    // The network broke: later again.
  }
  const before = document.querySelector("main");
  if (after && after.dataset.sync === "running" && after.dataset.status === before.dataset.status) {
    const [old, now] = [before.querySelector("#sync"), after.querySelector("#sync")];
    if (old && now && old.innerHTML !== now.innerHTML) old.replaceWith(now);
  } else if (after) {
    // It is done. Whoever is filling in a field keeps their place.
    if (before.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) {
      before.querySelector("#sync")?.replaceWith(after.querySelector("#sync"));
      before.dataset.sync = after.dataset.sync ?? "done";
    } else {
      before.replaceWith(after);
    }
    return;
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
