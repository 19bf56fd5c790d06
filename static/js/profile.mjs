// The business profile's form, live: counters, the preview, and the square of a photo. Without it the form works all the
// same: the server counts, and takes a photo that is square already.
const form = document.querySelector(".profile-form");
const shown = (key) => form.querySelector(`[data-shows="${key}"]`);

// Unicode code points, as Meta's limits count; a line end is one character there.
export function count(text) {
  return [...text.replace(/\r\n/g, "\n").trim()].length;
}

function refresh(field) {
  const limit = Number(field.dataset.limit);
  if (limit) {
    const line = document.getElementById(`${field.id}-count`);
    const over = count(field.value) - limit;
    line.toggleAttribute("data-over", over > 0);
    line.textContent = over > 0 ? `${over} too many: at most ${limit} characters` : `${count(field.value)} of ${limit} characters`;
  }
  const target = shown(field.id);
  if (!target) return;
  const text = field.tagName === "SELECT" ? (field.value && field.selectedOptions[0].text) : field.value.trim();
  target.textContent = text;
  const row = target.closest("dl > div");
  if (row) row.hidden = text === "";
}

// The photo: kept as it came, and drawn as a square of `side` pixels from where the sliders say.
const side = 640;
const input = form.querySelector("#photo");
const crop = form.querySelector("[data-crop]");
const canvas = form.querySelector("[data-crop-canvas]");
const problem = form.querySelector("[data-crop-problem]");
const [zoom, x, y] = ["zoom", "x", "y"].map((name) => form.querySelector(`#crop-${name}`));
let photo = null;
let taking = null;

function place() {
  const size = Math.min(photo.width, photo.height) / (Number(zoom.value) / 100);
  return { size, left: (photo.width - size) * Number(x.value) / 100, top: (photo.height - size) * Number(y.value) / 100 };
}

function paint(onto, width) {
  const { size, left, top } = place();
  const context = onto.getContext("2d");
  // A photo with holes in it gets white behind them: a JPEG has none.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, width);
  context.drawImage(photo, left, top, size, size, 0, 0, width, width);
}

function draw() {
  paint(canvas, side);
  for (const avatar of form.querySelectorAll("[data-avatar]")) {
    let small = avatar.querySelector("canvas");
    if (!small) {
      small = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
      avatar.replaceChildren(small);
    }
    paint(small, 256);
  }
}

// What is sent is the square, not the file that was chosen.
function take() {
  const mine = new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92)).then((blob) => {
    // A later square counts.
    if (taking !== mine) return;
    const files = new DataTransfer();
    files.items.add(new File([blob], "photo.jpg", { type: "image/jpeg" }));
    input.files = files.files;
    taking = null;
  });
  taking = mine;
}

input.addEventListener("change", async () => {
  const [file] = input.files;
  crop.hidden = true;
  problem.hidden = true;
  photo = null;
  if (!file) return;
  try {
    photo = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    problem.hidden = false;
    input.value = "";
    return;
  }
  [zoom.value, x.value, y.value] = [100, 50, 50];
  crop.hidden = false;
  draw();
  take();
});

for (const slider of [zoom, x, y]) {
  slider.addEventListener("input", draw);
  slider.addEventListener("change", take);
}

let from = null;
canvas.addEventListener("pointerdown", (event) => {
  from = { atX: event.clientX, atY: event.clientY, x: Number(x.value), y: Number(y.value) };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!from) return;
  const { size } = place();
  const scale = size / canvas.clientWidth;
  // Where the photo is no larger than the square, there is nothing to move.
  const moved = (pixels, room) => (room > 0 ? -pixels * scale / room * 100 : 0);
  x.value = from.x + moved(event.clientX - from.atX, photo.width - size);
  y.value = from.y + moved(event.clientY - from.atY, photo.height - size);
  draw();
});
canvas.addEventListener("pointerup", () => {
  from = null;
  take();
});

form.addEventListener("input", (event) => refresh(event.target));
form.addEventListener("submit", async (event) => {
  if (!taking) return;
  event.preventDefault();
  while (taking) await taking;
  // Not within this event's own dispatch, where it would be passed over.
  setTimeout(() => form.requestSubmit());
});
for (const field of form.querySelectorAll("[data-limit], select")) refresh(field);
