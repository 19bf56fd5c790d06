// Shows the message while somebody writes it, and the fields for the examples of its variables. Without this script the
// button "Show the message" does the same.
const form = document.querySelector("form[data-preview]");
const [preview, samples] = [document.getElementById("preview"), document.getElementById("samples")];
let [waiting, asked] = [0, 0];

async function refresh() {
  const mine = ++asked;
  const fields = new FormData(form);
  fields.delete("upload");
  const body = new URLSearchParams(fields);
  try {
    const response = await fetch(form.dataset.preview, {
      method: "POST", body, credentials: "same-origin",
      headers: { accept: "application/json" },
    });
    if (!response.ok || mine !== asked) return;
    const now = await response.json();
    if (mine !== asked) return;
    preview.innerHTML = now.preview;
    // What was written in the fields of examples stays as long as the variables are the same.
    if (samples.dataset.keys !== now.keys) {
      samples.innerHTML = now.samples;
      samples.dataset.keys = now.keys;
    }
  } catch {
    // The network broke: the next key tries again.
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 250);
  count();
});

// How much is left of what Meta allows.
function count() {
  for (const counter of form.querySelectorAll("[data-counts]")) {
    const field = document.getElementById(counter.dataset.counts);
    const has = [...field.value.trim()].length;
    counter.textContent = `${has} of ${counter.dataset.most}`;
    counter.classList.toggle("field-error", has > Number(counter.dataset.most));
  }
}

// A category or a kind of header shows other fields.
form.addEventListener("change", (event) => {
  if (!event.target.matches('[name="category"], [name="header"]')) return;
  for (const part of form.querySelectorAll("[data-for]")) {
    const [name, values] = part.dataset.for.split("=");
    const chosen = form.querySelector(`[name="${name}"]:checked`)?.value ?? form.elements[name]?.value;
    part.hidden = !values.split(" ").includes(chosen);
  }
});

// Bold, italic and struck, around what is selected.
for (const button of form.querySelectorAll("button[data-wrap]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById("body");
    const { selectionStart: from, selectionEnd: to, value } = field;
    const mark = button.dataset.wrap;
    const inside = mark.startsWith("{{") ? "" : value.slice(from, to) || button.dataset.word;
    const next = (value.match(/\{\{\d+\}\}/g) ?? []).length + 1;
    const text = mark.startsWith("{{") ? `{{${next}}}` : mark + inside + mark;
    field.setRangeText(text, from, to, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
count();
