// The page of `digitedge serve`: sends a file to /v1/read and shows the answer.

const byId = (id) => document.getElementById(id);

// A digit below this confidence is shown as uncertain.
const CERTAIN_FROM = 0.8;

let imageUrl = "";
let newest = 0; // number of the newest request: an answer that comes later than that of a newer one is not shown

for (const span of document.querySelectorAll(".base")) span.textContent = location.origin;

byId("file").addEventListener("change", () => {
  send(byId("file").files[0]);
});
byId("rotate").addEventListener("change", () => send(byId("file").files[0]));
byId("threshold").addEventListener("change", () => send(byId("file").files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
  });
}
byId("drop").addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  byId("file").files = event.dataTransfer.files;
  send(event.dataTransfer.files[0]);
});
checkHealth();

async function checkHealth() {
  const ready = await fetch("/healthz").then((response) => response.ok, () => false);
  if (!newest) showState(ready ? "ready" : "waiting");
  if (!ready) setTimeout(checkHealth, 1000);
}

async function send(file) {
  if (!file) return;
  const number = ++newest;
  const query = new URLSearchParams({ name: file.name });
  for (const option of ["rotate", "threshold"]) if (byId(option).value) query.set(option, byId(option).value);
  showState("reading");
  showImage(file);
  let problem = "";
  let text = "";
  try {
    const response = await fetch(`/v1/read?${query}`, { method: "POST", body: file });
    text = await response.text();
    if (!response.ok) problem = errorOf(text) ?? `The server answers ${response.status}.`;
  } catch {
    problem = "The server does not answer.";
  }
  if (number !== newest) return;
  showState(problem ? "lost" : "ready", problem ? "Not read" : "Ready");
  byId("problem").textContent = problem;
  byId("problem").hidden = !problem;
  showPages(problem ? [] : text.trim().split("\n").map((line) => JSON.parse(line)));
}

function errorOf(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return undefined;
  }
}

const STATES = { ready: "Ready", waiting: "Starting", reading: "Reading" };

function showState(state, text = STATES[state]) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
}

// The browser shows an image as it turns it by EXIF; boxes count in the same.
function showImage(file) {
  URL.revokeObjectURL(imageUrl);
  imageUrl = URL.createObjectURL(file);
  byId("boxes").replaceChildren();
  byId("figure").hidden = true;
  byId("image").onload = () => { byId("figure").hidden = false; };
  byId("image").src = file.type.startsWith("image/") ? imageUrl : "";
}

function showPages(pages) {
  byId("empty").hidden = pages.length > 0;
  byId("json").hidden = !pages.length;
  byId("answer").textContent = pages.map((page) => JSON.stringify(page)).join("\n");
  byId("pages").replaceChildren(...pages.map(describePage));
  const ms = pages.reduce((sum, page) => sum + (page.ms ?? 0), 0);
  byId("time").textContent = pages.length ? `${digitsOf(pages)} in ${Math.round(ms)} ms` : "";
  if (pages.length === 1) showBoxes(pages[0]);
}

function digitsOf(pages) {
  const digits = pages.reduce((sum, page) => sum + page.digits.length, 0);
  return digits === 1 ? "1 digit" : `${digits} digits`;
}

function describePage(page) {
  const item = document.createElement("li");
  if (page.page !== null) {
    const title = document.createElement("h3");
    title.className = "hint";
    title.textContent = `Page ${page.page}`;
    item.append(title);
  }
  const rows = page.rows.length ? page.rows : [page.error?.message ?? "No digits."];
  for (const row of rows) {
    const line = document.createElement("p");
    line.className = page.rows.length ? "rows" : page.error ? "rows failed" : "rows none";
    line.textContent = row;
    item.append(line);
  }
  return item;
}

function showBoxes({ digits, width, height }) {
  byId("boxes").replaceChildren(...digits.map(({ digit, confidence, box: [x, y, w, h] }) => {
    const box = document.createElement("div");
    box.className = confidence < CERTAIN_FROM ? "box uncertain" : "box";
    box.title = `${digit}, ${Math.round(100 * confidence)} %`;
    box.style.left = `${100 * x / width}%`;
    box.style.top = `${100 * y / height}%`;
    box.style.width = `${100 * w / width}%`;
    box.style.height = `${100 * h / height}%`;
    return box;
  }));
}
