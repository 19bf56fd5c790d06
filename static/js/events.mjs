// Keeps the list of events up to date: new ones come on top, and badges change as deliveries go on. Without this script
// the list is as it was when the page was opened.
const main = document.querySelector("main[data-stream]");
const news = document.querySelector("#news");
const pause = document.querySelector("#pause");
const live = document.querySelector("#live");
const full = document.querySelector("#full");
const MOST = 50;

let stream = null;
let newest = null;
let paused = false;
let later = null;

function rows() {
  return document.querySelector("#events");
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const found = [...template.content.querySelectorAll("tr[data-event]")];
  for (const time of found.flatMap((row) => [...row.querySelectorAll("time")])) show(time);
  return found;
}

const UNITS = [[60, "minute"], [3600, "hour"], [86400, "day"]];

// As the server says it.
function relative(at) {
  const seconds = Math.max(0, (Date.now() - at.getTime()) / 1000);
  if (seconds < 45) return "just now";
  const [size, unit] = seconds < 3570 ? UNITS[0] : seconds < 84600 ? UNITS[1] : UNITS[2];
  const number = Math.max(1, Math.round(seconds / size));
  return `${number} ${unit}${number === 1 ? "" : "s"} ago`;
}

function show(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  time.title = at.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  if (Date.now() - at.getTime() < 40 * 86400_000) time.textContent = relative(at);
}

// The first events of an empty list: the page knows how a list begins.
async function begin() {
  const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const list = fresh.querySelector("#event-list");
  if (list) document.querySelector("#event-list").replaceChildren(...list.childNodes);
}

async function add(html) {
  const fresh = parse(html);
  if (!rows()) await begin();
  const body = rows();
  if (!body) return;
  const added = fresh.filter((row) => !body.querySelector(`[data-event="${row.dataset.event}"]`));
  body.prepend(...added);
  // What somebody has selected, or is at, stays.
  for (const row of [...body.children].slice(MOST)) {
    if (!row.querySelector(":checked") && !row.contains(document.activeElement)) row.remove();
  }
  if (added.length > 0) news.textContent = added.length === 1 ? "1 new event" : `${added.length} new events`;
}

// Only badges change by themselves: focus and selection stay.
function badges(json) {
  for (const [id, html] of Object.entries(JSON.parse(json))) {
    const before = rows()?.querySelector(`[data-event="${id}"] .badge`);
    const template = document.createElement("template");
    template.innerHTML = html;
    const after = template.content.querySelector(".badge");
    if (before && after && before.textContent !== after.textContent) before.replaceWith(after);
  }
}

function close() {
  stream?.close();
  stream = null;
  live.hidden = true;
}

function open() {
  if (stream || paused || document.hidden) return;
  clearTimeout(later);
  const address = new URL(main.dataset.stream, location.href);
  if (newest) address.searchParams.set("after", newest);
  stream = new EventSource(address);
  let work = Promise.resolve();
  stream.addEventListener("open", () => { live.hidden = false; full.hidden = true; });
  // Too many lists are open elsewhere: here one reloads by hand, until there is a place again.
  stream.addEventListener("full", (event) => {
    close();
    full.querySelector("p").textContent = event.data;
    full.hidden = false;
    later = setTimeout(open, 60_000);
  });
  stream.addEventListener("rows", (event) => {
    newest = event.lastEventId || newest;
    work = work.then(() => add(event.data)).catch(() => {});
  });
  stream.addEventListener("badges", (event) => { work = work.then(() => badges(event.data)).catch(() => {}); });
  // The browser comes again by itself, except where the server refused.
  stream.addEventListener("error", () => {
    live.hidden = true;
    if (stream?.readyState === EventSource.CLOSED) {
      stream = null;
      later = setTimeout(open, 5000);
    }
  });
}

setInterval(() => { for (const time of document.querySelectorAll("#event-list time")) show(time); }, 30_000);

if (main) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    if (paused) close();
    else open();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}
