// The live page: events of the server shown, and what the viewer wants told to the server.
import { startDrawing } from "./drawing.js";

const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.floor(100 * share + 1e-6)} %`; // 99.6 % is not 100 %

const STATES = {
  waiting: ["Waiting", "Waiting for the first image"],
  live: ["Live", ""],
  stale: ["No new image", "The camera gives no new image"],
  reconnecting: ["Camera lost, trying again", "The camera is lost. Trying again"],
  lost: ["Connection lost, trying again", "Connection lost, trying again"],
  refused: ["Address out of date", "digitedge was started again. Open the new address that it has printed."],
};
// Without any event for so long, the connection is taken for lost; then it is tried again after a second.
const SILENCE_MS = 6000;
const RETRY_MS = 1000;
const STEP_MS = 1000;
const HISTORY = 50;
// A row under this is shown as doubtful: draw_reading's boxes turn orange there.
const SURE_FROM = 0.8;

let source = null; // of events
let heard = 0; // when the last event came
let retry = 0;
let paused = false;
let frozen = ""; // address of the image that stands still
let sliding = -Infinity; // when this viewer last moved the slider
let sending = false; // whether its place is being sent

// --- connection ---------------------------------------------------------------------------------------------------

function connect() {
  disconnect();
  heard = performance.now();
  source = new EventSource("/api/events");
  source.onopen = () => { if (!paused) showStream(); };
  source.onerror = () => lose();
  on("history", showHistory);
  on("reading", (event) => { addToHistory(event); speak(event); });
  on("state", ({ state }) => showState(state));
  on("threshold", ({ threshold }) => showThreshold(threshold));
  on("update", (update) => {
    showThreshold(update.threshold); // once more: the slider may have been moved meanwhile
    if (!paused) showUpdate(update);
  });
}

function on(name, show) {
  source.addEventListener(name, (event) => {
    heard = performance.now();
    show(JSON.parse(event.data));
  });
}

function disconnect() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

async function lose() {
  disconnect();
  if (byId("state").dataset.state !== "refused") showState("lost");
  const answer = await fetch("/api/history").catch(() => null);
  if (answer) showState(answer.status === 401 ? "refused" : "lost");
  if (!document.hidden) retry = setTimeout(connect, RETRY_MS);
}

setInterval(() => {
  if (source && performance.now() - heard > SILENCE_MS) lose();
}, 1000);

// A page that nobody sees costs nothing, and leaves its connections to others of the same browser.
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
  const [short, long] = STATES[state] ?? [state, state];
  setText(byId("state"), short);
  byId("state").dataset.state = state;
  if (state === "lost" || state === "refused" || !paused) byId("view").dataset.state = state;
  if (long) setText(byId("notice"), long);
  document.body.classList.toggle("old", state !== "live");
  if (state !== "live") setText(byId("fps"), "–");
  showHints();
}

function showHints() {
  const hasRows = byId("rows").children.length > 0;
  byId("rows-hint").hidden = !hasRows;
  byId("empty").hidden = hasRows;
  const isLive = !document.body.classList.contains("old");
  setText(byId("empty"), isLive ? "No digits in view. Hold a page with dark digits into the light." : "Nothing to read now.");
}

function showStream() {
  byId("image").src = `/stream.mjpg?${Date.now()}`; // anew each time: browsers do not repeat a broken stream
}

byId("image").addEventListener("load", () => { byId("image").hidden = false; });
byId("image").addEventListener("error", () => {
  byId("image").hidden = true;
  if (byId("image").src) setTimeout(() => { if (source && !paused) showStream(); }, RETRY_MS);
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
  const settled = new Set(stable.map((row) => row.text));
  const isFilm = digits.some((digit) => "track" in digit);
  let next = 0;
  const items = rows.map((text) => {
    const confidence = Math.min(...digits.slice(next, (next += text.length)).map((digit) => digit.confidence));
    const item = element("li", element("span", text, "text"), element("span", percent(confidence), "sure"));
    item.classList.toggle("fleeting", isFilm && !settled.has(text));
    item.classList.toggle("doubtful", confidence < SURE_FROM);
    return item;
  });
  const list = byId("rows");
  if (list.innerHTML !== items.map((item) => item.outerHTML).join("")) list.replaceChildren(...items);
  list.classList.toggle("many", rows.length > 3);
  list.style.setProperty("--longest", Math.max(4, ...rows.map((text) => text.length)));
  showHints();
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
  const words = { appeared: "new", changed: `was ${event.before}`, left: "gone" }[event.change];
  const item = element("li", time, element("span", event.text, "text"), element("span", words, "change"));
  item.classList.add(event.change);
  list.prepend(item);
  while (list.children.length > HISTORY) list.lastChild.remove();
  byId("no-history").hidden = true;
}

function speak({ change, text, before }) {
  const digits = [...text].join(" ");
  const words = { appeared: digits, changed: `${[...(before ?? "")].join(" ")} became ${digits}`, left: `${digits} is gone` };
  if (!paused) byId("spoken").textContent = words[change];
}

function showThreshold(threshold) {
  if (performance.now() - sliding < 1000) return; // this viewer is just moving it
  byId("threshold").value = Math.round(100 * threshold);
  setText(byId("threshold-shown"), `${byId("threshold").value} %`);
}

// --- what the viewer does -----------------------------------------------------------------------------------------

byId("pause").addEventListener("click", async () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  byId("paused").hidden = !paused;
  setText(byId("pause"), paused ? "Resume" : "Pause");
  setText(byId("paused"), paused ? "Your image and rows stand still. The reader goes on, and so does everyone else." : "");
  if (!paused) return goOn();
  const answer = await fetch("/snapshot.jpg").catch(() => null);
  if (!answer?.ok || !paused) return;
  frozen = URL.createObjectURL(await answer.blob());
  byId("image").src = frozen;
  Object.assign(byId("snapshot"), { href: frozen, download: "digitedge.jpg" }); // what is seen is what is saved
});

function goOn() {
  URL.revokeObjectURL(frozen);
  Object.assign(byId("snapshot"), { href: "/snapshot.jpg", download: "" });
  byId("view").dataset.state = byId("state").dataset.state;
  if (source) showStream();
}

byId("threshold").addEventListener("input", () => {
  sliding = performance.now();
  setText(byId("threshold-shown"), `${byId("threshold").value} %`);
  if (!sending) sendThreshold();
});

async function sendThreshold() {
  sending = true;
  let sent;
  do { // one after the other, so that the last one counts
    sent = byId("threshold").value;
    const body = JSON.stringify({ threshold: sent / 100 });
    await fetch("/api/threshold", { method: "PUT", body }).catch(() => {});
  } while (sent !== byId("threshold").value);
  sending = false;
}

function showSteps() {
  if (!byId("steps").open || document.hidden || paused || !source) return;
  for (const image of document.querySelectorAll("[data-step]")) {
    if (image.src && !image.complete) continue; // a slow network: one at a time
    image.src = `/steps/${image.dataset.step}.jpg?${Date.now()}`;
  }
}

byId("steps").addEventListener("toggle", showSteps);
setInterval(showSteps, STEP_MS);

// --- small things -------------------------------------------------------------------------------------------------

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
  if (target.textContent !== text) target.textContent = text; // else screen readers would say it again
}

startDrawing();
connect();
