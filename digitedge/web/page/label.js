// The labelling page: a grid of digits by doubt; keys, clicks and taps correct their labels, which are saved at once.

const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;
const grouped = (count) => count.toLocaleString("en");

const PAGE_SIZE = 60;
const MAX_CHANGES = 500; // of one request
const RETRY_MS = 2000;
// An unchecked label below this probability is marked as doubtful.
const CERTAIN_FROM = 0.8;
const NON_DIGIT = "x";

let session = ""; // key of the server's session
let images = new Map(); // id -> state, as the server sends it
let order = []; // ids of the whole folder, as they were sorted when the page was loaded
let shown = []; // ids of the digits that the filter lets through, in this order
let filter = null; // null: all; else a label as text
let page = 0;
let selected = null; // id
let ended = false;
const thumbnails = new Map(); // id -> data URL, of the page that is shown
const undoStack = []; // lists of earlier states

// --- load ---------------------------------------------------------------------------------------------------------

async function load() {
  const content = await request("/api/images");
  session = content.session;
  images = new Map(content.images.map((image) => [image.id, image]));
  order = content.images.map((image) => image.id);
  byId("folder").textContent = content.folder;
  document.title = `${content.folder}: check the labels`;
  showState("saved");
  setFilter(filter);
}

async function request(url, options) {
  const response = await fetch(url, options);
  const content = await response.json().catch(() => ({}));
  if (response.status === 401) throw new Refusal("digitedge was restarted. Open the new URL that it printed.");
  if (!response.ok) throw new Refusal(content.error ?? `The server answers ${response.status}.`);
  return content;
}

class Refusal extends Error {} // an answer that would be the same again

// --- what is shown ------------------------------------------------------------------------------------------------

const labelOf = (image) => (image.label === null ? NON_DIGIT : String(image.label));
const nameOf = (label) => (label === NON_DIGIT ? "no digit" : label);

function setFilter(label) {
  filter = label;
  shown = order.filter((id) => label === null || labelOf(images.get(id)) === label);
  byId("crops-title").textContent = label === null ? "All digits" : label === NON_DIGIT ? "No digits" : `Digits labelled ${label}`;
  selected = null;
  showProblem("");
  showPage(0);
  showOverview();
}

function showOverview() {
  const all = [...images.values()];
  const checked = all.filter((image) => image.checked).length;
  byId("progress").max = Math.max(1, all.length);
  byId("progress").value = checked;
  byId("progress-text").textContent = `${grouped(checked)} of ${grouped(all.length)} checked`;
  const counts = new Map();
  for (const image of all) counts.set(labelOf(image), (counts.get(labelOf(image)) ?? 0) + 1);
  for (const button of byId("filter").children) {
    const label = button.dataset.label ?? null;
    button.setAttribute("aria-pressed", label === filter);
    const count = label === null ? all.length : counts.get(label) ?? 0;
    button.querySelector(".count").textContent = count;
    button.setAttribute("aria-label", `${label === null ? "All" : nameOf(label)}: ${count}`);
  }
  byId("undo").disabled = undoStack.length === 0;
  showRest();
}

function pageIds() {
  return shown.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
}

function showPage(number) {
  const count = Math.max(1, Math.ceil(shown.length / PAGE_SIZE));
  page = Math.min(Math.max(0, number), count - 1);
  byId("crops").replaceChildren(...pageIds().map((id) => makeTile(images.get(id))));
  byId("none").hidden = shown.length > 0;
  byId("pages").hidden = count === 1;
  byId("page").textContent = `Page ${page + 1} of ${count}`;
  byId("previous").disabled = page === 0;
  byId("next").disabled = page === count - 1;
  if (!pageIds().includes(selected)) choose(isWide() ? pageIds()[0] ?? null : null);
  showRest();
  loadThumbnails();
}

const isWide = () => matchMedia("(min-width: 56rem)").matches;

function showRest() {
  const rest = pageIds().filter((id) => !images.get(id).checked).length;
  byId("rest").hidden = rest < 2;
  byId("rest").textContent = `All ${rest} unchecked ones on this page are right`;
}

async function loadThumbnails() {
  const ids = pageIds();
  thumbnails.clear();
  if (!ids.length) return;
  try {
    const content = await request(`/api/thumbnails?ids=${ids.join(",")}`);
    for (const id of ids) {
      thumbnails.set(id, content[id]);
      showThumbnail(id);
    }
    if (ids.includes(selected)) showPad();
  } catch (error) {
    if (error instanceof Refusal) showProblem(error.message);
    else if (!ended) setTimeout(() => { if (ids.join() === pageIds().join()) loadThumbnails(); }, RETRY_MS);
  }
}

function makeTile(image) {
  const tile = document.createElement("li");
  tile.className = "crop-tile";
  tile.dataset.id = image.id;
  tile.tabIndex = 0;
  tile.setAttribute("role", "option");
  const picture = document.createElement("img");
  picture.alt = "";
  tile.append(picture, element("span", "label"), element("span", "mark"));
  fillTile(tile, image);
  return tile;
}

function element(name, className) {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function fillTile(tile, image) {
  const label = labelOf(image);
  const doubtful = !image.checked && image.agreement < CERTAIN_FROM;
  tile.classList.toggle("checked", image.checked);
  tile.classList.toggle("doubtful", doubtful);
  tile.classList.toggle("failed", image.failed === true);
  tile.setAttribute("aria-selected", image.id === selected);
  tile.setAttribute("aria-label", `Labelled ${nameOf(label)}. ${modelText(image)} ${image.checked ? "Checked." : "Not checked."}`);
  tile.querySelector(".label").textContent = label === NON_DIGIT ? "×" : label;
  tile.querySelector(".mark").textContent = image.checked ? "✓" : doubtful ? markOf(image) : "";
}

function markOf(image) {
  return image.predicted === null ? "?" : image.predicted === image.label ? percent(image.agreement) : `${image.predicted}?`;
}

function modelText(image) {
  if (image.failed) return "It was not saved.";
  if (image.predicted === null) return "It cannot be read.";
  const agrees = image.predicted === image.label;
  const verb = image.confidence < CERTAIN_FROM ? `is unsure: ${image.predicted}` : agrees ? "agrees" : `reads ${image.predicted}`;
  return `The model ${verb}, ${percent(image.confidence)}.`;
}

const tileOf = (id) => byId("crops").querySelector(`[data-id="${id}"]`);

function showThumbnail(id) {
  const picture = tileOf(id)?.querySelector("img");
  if (picture && thumbnails.get(id)) picture.src = thumbnails.get(id);
}

function showImage(id) {
  const tile = tileOf(id);
  if (tile) fillTile(tile, images.get(id));
  if (id === selected) showPad();
}

function choose(id, { focus = false } = {}) {
  const before = selected;
  selected = id;
  for (const one of [before, id]) if (one !== null) showImage(one);
  showPad();
  const tile = id === null ? null : tileOf(id);
  if (!tile || !focus) return;
  tile.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest" });
}

function showPad() {
  const image = images.get(selected);
  byId("pad").hidden = image === undefined;
  document.body.classList.toggle("choosing", image !== undefined);
  if (!image) return;
  const label = labelOf(image);
  byId("large").src = thumbnails.get(selected) ?? "data:,";
  byId("label-text").textContent = `Labelled ${nameOf(label)}${image.checked ? ", checked" : ""}`;
  byId("right-text").textContent = label === NON_DIGIT ? "Right, it is no digit" : `Right, it is ${label}`;
  byId("model-text").textContent = modelText(image);
  byId("model-text").classList.toggle("doubtful", image.agreement < CERTAIN_FROM);
  byId("name").textContent = image.name;
  for (const button of byId("pad").querySelectorAll("[data-label]")) {
    button.setAttribute("aria-pressed", button.dataset.label === label);
    button.classList.toggle("suggested", !image.checked && button.dataset.label === String(image.predicted) && button.dataset.label !== label);
  }
}

function showState(state) {
  const texts = { saved: "Saved", saving: "Saving", lost: "Connection lost, retrying", refused: "Not saved" };
  byId("state").textContent = texts[state];
  byId("state").dataset.state = state;
}

function showProblem(text) {
  byId("problem").hidden = !text;
  byId("problem").textContent = text;
}

function announce(text) {
  byId("announcement").textContent = text;
}

// --- changes ------------------------------------------------------------------------------------------------------

function setLabel(label) {
  const image = images.get(selected);
  if (!image || ended) return;
  change([{ ...image, label: label === NON_DIGIT ? null : Number(label), checked: true }]);
  announce(`Labelled ${nameOf(label)}.`);
  advance();
}

function confirmLabel() {
  const image = images.get(selected);
  if (image) setLabel(labelOf(image));
}

function confirmRest() {
  const rest = pageIds().map((id) => images.get(id)).filter((image) => !image.checked);
  change(rest.map((image) => ({ ...image, checked: true })));
  announce(`${rest.length} checked.`);
  if (!byId("next").disabled) {
    showPage(page + 1);
    choose(pageIds()[0], { focus: isWide() });
    scrollTo({ top: 0 });
  }
}

function change(states) {
  undoStack.push(states.map(({ id }) => images.get(id)));
  put(states);
}

function undo() {
  const before = undoStack.pop();
  if (!before || ended) return;
  put(before);
  announce(before.length === 1 ? `Undone: labelled ${nameOf(labelOf(before[0]))}.` : `Undone for ${before.length} digits.`);
  const { id } = before[0];
  if (!shown.includes(id)) setFilter(null);
  showPage(Math.floor(shown.indexOf(id) / PAGE_SIZE));
  choose(id, { focus: true });
}

function put(states) {
  for (const { id, label, checked } of states) {
    const image = images.get(id);
    const agreement = label === image.label ? image.agreement : label === image.predicted ? image.confidence : 0;
    images.set(id, { ...image, label, checked, agreement });
    showImage(id);
    queue.push({ id, label, checked });
  }
  showOverview();
  send();
}

function advance() {
  const next = shown.indexOf(selected) + 1;
  if (next === shown.length) return announce("That was the last one.");
  if (Math.floor(next / PAGE_SIZE) !== page) showPage(page + 1);
  choose(shown[next], { focus: true });
}

// --- saving -------------------------------------------------------------------------------------------------------

let queue = []; // changes that the server has not confirmed, oldest first
let sending = null; // the promise of the request under way

function send() {
  sending ??= sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  while (queue.length) {
    showState(byId("state").dataset.state === "lost" ? "lost" : "saving");
    const changes = queue.slice(0, MAX_CHANGES);
    try {
      const body = JSON.stringify({ session, changes });
      receive(await request("/api/labels", { method: "POST", body }));
      queue = queue.slice(changes.length);
    } catch (error) {
      if (error instanceof Refusal) {
        queue = [];
        showState("refused");
        showProblem(error.message);
        return;
      }
      showState("lost");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  showState("saved");
}

function receive({ images: states, problems }) {
  for (const state of states) if (queue.filter(({ id }) => id === state.id).length < 2) images.set(state.id, state);
  for (const { id } of problems) if (images.has(id)) images.set(id, { ...images.get(id), failed: true });
  [...states, ...problems].forEach(({ id }) => { if (images.has(id)) showImage(id); });
  if (problems.length) showProblem(problems[0].message + (problems.length > 1 ? ` The same for ${problems.length - 1} more.` : ""));
  showOverview();
}

addEventListener("beforeunload", (event) => { if (queue.length && !ended) event.preventDefault(); });

byId("done").addEventListener("click", async () => {
  await send();
  if (queue.length) return;
  try {
    await request("/api/done", { method: "POST", body: session });
  } catch (error) {
    return showProblem(error instanceof Refusal ? error.message : "The connection is lost. Is digitedge label still running?");
  }
  ended = true;
  const checked = [...images.values()].filter((image) => image.checked).length;
  byId("ended-text").textContent = `${grouped(checked)} of ${grouped(images.size)} digits are checked.`;
  document.querySelector("main").hidden = byId("done").hidden = byId("state").hidden = true;
  byId("ended").hidden = false;
  byId("ended").querySelector("h2").focus();
});

// --- keyboard and pointer -----------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (key === "z" && (event.ctrlKey || event.metaKey)) return act(event, undo);
  if (event.ctrlKey || event.altKey || event.metaKey || ended) return;
  const inGrid = event.target === document.body || byId("crops").contains(event.target);
  if (!inGrid && !byId("pad").contains(event.target)) return;
  if (/^[0-9]$/.test(key) || key === NON_DIGIT) return act(event, () => setLabel(key));
  if (key === "u") return act(event, undo);
  if (key === "escape") return act(event, () => choose(null));
  if (!inGrid) return; // Enter and Space press the buttons of the pad
  if (key === "enter" || key === " ") return act(event, confirmLabel);
  const step = { arrowleft: -1, arrowright: 1, arrowup: -columns(), arrowdown: columns(), home: -Infinity, end: Infinity }[key];
  if (step !== undefined) act(event, () => move(step));
  else if (key === "pageup" || key === "pagedown") act(event, () => turn(key === "pageup" ? -1 : 1));
});

function act(event, action) {
  event.preventDefault();
  action();
}

function columns() {
  const tiles = [...byId("crops").children];
  return tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length || 1;
}

function move(step) {
  if (!shown.length) return;
  const from = selected === null ? 0 : shown.indexOf(selected) + step;
  const target = Math.min(shown.length - 1, Math.max(0, from));
  if (Math.floor(target / PAGE_SIZE) !== page) showPage(Math.floor(target / PAGE_SIZE));
  choose(shown[target], { focus: true });
}

function turn(step) {
  showProblem("");
  showPage(page + step);
  choose(pageIds()[0] ?? null, { focus: true });
}

byId("crops").addEventListener("focusin", (event) => {
  const tile = event.target.closest(".crop-tile");
  if (tile && Number(tile.dataset.id) !== selected) choose(Number(tile.dataset.id));
});
byId("crops").addEventListener("click", (event) => {
  const tile = event.target.closest(".crop-tile");
  if (tile) choose(Number(tile.dataset.id), { focus: true });
});

function addButton(parent, label, text, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  if (label !== null) button.dataset.label = label;
  button.textContent = text;
  button.addEventListener("click", onClick);
  parent.append(button);
  return button;
}

for (const label of [null, ..."0123456789", NON_DIGIT]) {
  const text = label === null ? "All" : label === NON_DIGIT ? "×" : label;
  const button = addButton(byId("filter"), label, text, () => setFilter(label));
  button.append(element("span", "count"));
  if (label === NON_DIGIT) button.title = "No digits";
}
for (const label of "0123456789") addButton(byId("digits"), label, label, () => setLabel(label));
byId("non-digit").addEventListener("click", () => setLabel(NON_DIGIT));
byId("right").addEventListener("click", confirmLabel);
byId("undo").addEventListener("click", undo);
byId("rest").addEventListener("click", confirmRest);
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
byId("close").addEventListener("click", () => choose(null));

load().catch((error) => {
  showState("refused");
  byId("state").textContent = "Not loaded";
  showProblem(error instanceof Refusal ? error.message : "digitedge label does not answer. Is it still running?");
});
