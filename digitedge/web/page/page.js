// The live page: shows the events of the server and sends the viewer's settings.
import { startDrawing } from "./drawing.js";

const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;

// State -> [badge, notice over the image]
const STATES = {
  waiting: ["Waiting", "Waiting for the first frame"],
  live: ["Live", ""],
  stale: ["No new frames", "The camera sends no new frames"],
  reconnecting: ["Camera lost, reconnecting", "The camera is lost. Reconnecting"],
  lost: ["Connection lost, reconnecting", "Connection lost, reconnecting"],
  refused: ["Token expired", "digitedge was restarted. Open the new URL that it printed."],
};
// Without any event for this time the connection counts as lost.
const SILENCE_MS = 6000;
const RECONNECT_MS = 1000;
const STAGES_MS = 1000;
const MAX_EVENTS = 50;
// A row below this confidence is shown as uncertain. The boxes of draw_reading turn orange at the same value.
const CERTAIN_FROM = 0.8;

let eventSource = null;
let lastEventAt = 0;
let reconnectTimer = 0;
let paused = false;
let frozenUrl = ""; // of the image shown while paused
let sliderMovedAt = -Infinity;
let sendingThreshold = false;

// --- connection ---------------------------------------------------------------------------------------------------

function connect() {
  disconnect();
  lastEventAt = performance.now();
  eventSource = new EventSource("/api/events");
  eventSource.onopen = () => { if (!paused) showStream(); };
  eventSource.onerror = reconnect;
  listen("history", showHistory);
  listen("row", (event) => { addToHistory(event); announce(event); });
  listen("state", ({ state }) => showState(state));
  listen("threshold", ({ threshold }) => showThreshold(threshold));
  listen("update", (update) => {
    showThreshold(update.threshold); // again: showThreshold ignores events while the slider moves
    if (!paused) showUpdate(update);
  });
}

function listen(name, show) {
  eventSource.addEventListener(name, (event) => {
    lastEventAt = performance.now();
    show(JSON.parse(event.data));
  });
}

function disconnect() {
  clearTimeout(reconnectTimer);
  eventSource?.close();
  eventSource = null;
}

async function reconnect() {
  disconnect();
  if (byId("state").dataset.state !== "refused") showState("lost");
  const response = await fetch("/api/history").catch(() => null);
  if (response) showState(response.status === 401 ? "refused" : "lost");
  if (!document.hidden) reconnectTimer = setTimeout(connect, RECONNECT_MS);
}

setInterval(() => {
  if (eventSource && performance.now() - lastEventAt > SILENCE_MS) reconnect();
}, 1000);

// A hidden page holds no connection: browsers allow six to one server, for all its pages together.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect();
    if (!paused) byId("image").removeAttribute("src");
  } else {
    connect();
  }
});

// --- what is shown ------------------------------------------------------------------------------------------------

function showState(state) {
  const [badge, notice] = STATES[state] ?? [state, state];
  setText(byId("state"), badge);
  byId("state").dataset.state = state;
  if (state === "lost" || state === "refused" || !paused) byId("view").dataset.state = state;
  if (notice) setText(byId("notice"), notice);
  document.body.classList.toggle("stale", state !== "live");
  if (state !== "live") setText(byId("fps"), "–");
  showHints();
}

function showHints() {
  const hasRows = byId("rows").children.length > 0;
  byId("rows-hint").hidden = !hasRows;
  byId("empty").hidden = hasRows;
  const isLive = !document.body.classList.contains("stale");
  setText(byId("empty"), isLive ? "No digits in view. Hold a page with dark digits into the light." : "No reading.");
}

function showStream() {
  byId("image").src = `/stream.mjpg?${Date.now()}`; // a new URL: browsers do not repeat a broken stream
}

byId("image").addEventListener("load", () => { byId("image").hidden = false; });
byId("image").addEventListener("error", () => {
  byId("image").hidden = true;
  if (byId("image").src) setTimeout(() => { if (eventSource && !paused) showStream(); }, RECONNECT_MS);
});

function showUpdate(update) {
  byId("view").style.aspectRatio = `${update.width} / ${update.height}`;
  setText(byId("source"), update.source || "a camera");
  setText(byId("fps"), update.state === "live" ? update.fps.toFixed(update.fps < 10 ? 1 : 0) : "–");
  setText(byId("ms"), `${Math.round(update.ms)} ms`);
  setText(byId("age"), update.age_ms < 1000 ? `${Math.round(update.age_ms)} ms` : `${Math.round(update.age_ms / 1000)} s`);
  showRows(update);
}

function showRows({ rows, digits, stable }) {
  const unmatched = [...stable];
  const isTracked = digits.some((digit) => "track" in digit);
  const list = byId("rows");
  while (list.children.length > rows.length) list.lastChild.remove();
  while (list.children.length < rows.length) list.append(makeRow());
  let next = 0;
  rows.forEach((text, index) => { // rows are filled anew, not made anew, so that buttons keep the focus
    const confidence = Math.min(...digits.slice(next, (next += text.length)).map((digit) => digit.confidence));
    const found = unmatched.findIndex((row) => row.text === text);
    const [row] = found < 0 ? [null] : unmatched.splice(found, 1);
    const item = list.children[index];
    item.row = row;
    setText(item.querySelector(".text"), text);
    setText(item.querySelector(".confidence"), percent(confidence));
    item.querySelector(".wrong").hidden = !isTracked;
    item.classList.toggle("unstable", isTracked && row === null);
    item.classList.toggle("uncertain", confidence < CERTAIN_FROM);
  });
  list.classList.toggle("many", rows.length > 3);
  list.style.setProperty("--longest", Math.max(4, ...rows.map((text) => text.length)));
  showHints();
}

function makeRow() {
  const wrong = element("button", "Wrong?", "wrong");
  wrong.type = "button";
  const item = element("li", element("span", "", "text"), element("span", element("span", "", "confidence"), wrong));
  item.lastChild.className = "side";
  wrong.addEventListener("click", () => { if (item.row) openCorrection(item.row); });
  return item;
}

function showHistory(events) {
  byId("history").replaceChildren();
  events.forEach(addToHistory);
  byId("no-history").hidden = events.length > 0;
}

function addToHistory(event) {
  const list = byId("history");
  const time = element("time", new Date(event.at).toLocaleTimeString([], { hour12: false }));
  time.dateTime = event.at;
  const change = { appeared: "new", changed: `was ${event.before}`, left: "gone" }[event.change];
  const item = element("li", time, element("span", event.text, "text"), element("span", change, "change"));
  item.classList.add(event.change);
  list.prepend(item);
  while (list.children.length > MAX_EVENTS) list.lastChild.remove();
  byId("no-history").hidden = true;
}

// For screen readers: "2 0 2 6", because "2026" would be read as one number.
function announce({ change, text, before }) {
  const digits = [...text].join(" ");
  const changed = `${[...(before ?? "")].join(" ")} changed to ${digits}`;
  if (!paused) byId("announcement").textContent = { appeared: digits, changed, left: `${digits} is gone` }[change];
}

function showThreshold(threshold) {
  if (performance.now() - sliderMovedAt < 1000) return; // this viewer is moving it
  byId("threshold").value = Math.round(100 * threshold);
  setText(byId("threshold-shown"), `${byId("threshold").value} %`);
}

// --- controls -----------------------------------------------------------------------------------------------------

byId("pause").addEventListener("click", async () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  byId("paused").hidden = !paused;
  setText(byId("pause"), paused ? "Resume" : "Pause");
  setText(byId("paused"), paused ? "Image and rows are paused for you only. The reader continues." : "");
  if (!paused) return resume();
  const response = await fetch("/snapshot.jpg").catch(() => null);
  if (!response?.ok || !paused) return;
  frozenUrl = URL.createObjectURL(await response.blob());
  byId("image").src = frozenUrl;
  Object.assign(byId("snapshot"), { href: frozenUrl, download: "digitedge.jpg" }); // save what is shown
});

function resume() {
  URL.revokeObjectURL(frozenUrl);
  Object.assign(byId("snapshot"), { href: "/snapshot.jpg", download: "" });
  byId("view").dataset.state = byId("state").dataset.state;
  if (eventSource) showStream();
}

byId("threshold").addEventListener("input", () => {
  sliderMovedAt = performance.now();
  setText(byId("threshold-shown"), `${byId("threshold").value} %`);
  if (!sendingThreshold) sendThreshold();
});

async function sendThreshold() {
  sendingThreshold = true;
  let sent;
  do { // one request at a time, so that the last value wins
    sent = byId("threshold").value;
    const body = JSON.stringify({ threshold: sent / 100 });
    await fetch("/api/threshold", { method: "PUT", body }).catch(() => {});
  } while (sent !== byId("threshold").value);
  sendingThreshold = false;
}

// --- corrections --------------------------------------------------------------------------------------------------

let corrected = null; // the stable row that is corrected

async function openCorrection(row) {
  corrected = row;
  showCorrectionState("");
  const { folder, error } = await ask("/api/corrections");
  byId("correction").hidden = error !== undefined;
  if (error !== undefined) return showCorrectionState(error);
  setText(byId("read-as"), row.text);
  setText(byId("correction-folder"), folder);
  byId("right").value = row.text;
  byId("right").focus();
  byId("right").select();
}

byId("correction").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ text: corrected.text, time: corrected.time, right: byId("right").value });
  const { saved, folder, error } = await ask("/api/corrections", { method: "POST", body });
  if (error !== undefined) return showCorrectionState(error);
  closeCorrection();
  showCorrectionState(`Saved ${saved} digit${saved === 1 ? "" : "s"} in ${folder}.`, true);
});

byId("cancel").addEventListener("click", closeCorrection);
byId("correction").addEventListener("keydown", (event) => { if (event.key === "Escape") closeCorrection(); });

function closeCorrection() {
  byId("correction").hidden = true;
  showCorrectionState("");
  [...byId("rows").children].find((item) => item.row?.text === corrected.text)?.querySelector(".wrong").focus();
}

function showCorrectionState(text, isDone = false) {
  byId("correction-state").classList.toggle("problem", !isDone);
  byId("correction-state").textContent = text;
}

async function ask(url, options) {
  const response = await fetch(url, options).catch(() => null);
  return (await response?.json().catch(() => null)) ?? { error: "The connection is lost. Try again." };
}

// --- stages -------------------------------------------------------------------------------------------------------

function showStages() {
  if (!byId("stages").open || document.hidden || paused || !eventSource) return;
  for (const image of document.querySelectorAll("[data-stage]")) {
    if (image.src && !image.complete) continue; // still loading, in a slow network
    image.src = `/stages/${image.dataset.stage}.jpg?${Date.now()}`;
  }
}

byId("stages").addEventListener("toggle", showStages);
setInterval(showStages, STAGES_MS);

// --- DOM ----------------------------------------------------------------------------------------------------------

function element(name, ...parts) {
  const made = document.createElement(name);
  if (typeof parts[0] === "string") {
    made.textContent = parts[0];
    if (parts[1]) made.className = parts[1];
  } else {
    made.append(...parts);
  }
  return made;
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text; // a screen reader announces every assignment
}

startDrawing();
connect();
