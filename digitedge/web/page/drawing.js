// A slate to draw a digit on, with finger, mouse or keyboard, and what the net makes of it.

const byId = (id) => document.getElementById(id);
// Width of the pen, and step of the keyboard's pen, in pixels of the slate.
const PEN = 22;
const STEP = 8;
// Between two questions to the net; and how long a drawing rests before a screen reader says what it reads as.
const PAUSE_MS = 120;
const REST_MS = 700;

const slate = byId("slate");
const pen = byId("pen");
const context = slate.getContext("2d", { willReadFrequently: true });
const place = { x: slate.width / 2, y: slate.height / 2 };
let isDown = false; // the keyboard's pen
let drawing = null; // the pointer that draws
let waiting = 0;
let asking = false;
let speaking = 0;

export function startDrawing() {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = PEN;
  context.strokeStyle = "#f4f2ea";
  for (let digit = 0; digit < 10; digit++) byId("bars").append(makeBar(digit));
  slate.addEventListener("pointerdown", startStroke);
  slate.addEventListener("pointermove", continueStroke);
  for (const end of ["pointerup", "pointercancel"]) slate.addEventListener(end, () => { drawing = null; });
  slate.addEventListener("keydown", followKeys);
  slate.addEventListener("focus", () => { pen.hidden = !slate.matches(":focus-visible"); showPen(); });
  slate.addEventListener("blur", () => { pen.hidden = true; isDown = false; });
  byId("clear").addEventListener("click", clear);
  showAnswer(null);
  clearTimeout(speaking); // nobody has asked yet
}

function makeBar(digit) {
  const item = document.createElement("li");
  item.innerHTML = `<span>${digit}</span><span class="bar" aria-hidden="true"><span></span></span><span class="percent">–</span>`;
  return item;
}

// --- pen ----------------------------------------------------------------------------------------------------------

function startStroke(event) {
  drawing = event.pointerId;
  slate.setPointerCapture(drawing);
  pen.hidden = true;
  Object.assign(place, whereOf(event));
  drawTo(place);
}

function continueStroke(event) {
  if (event.pointerId !== drawing) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  for (const move of moves.length ? moves : [event]) drawTo(whereOf(move));
}

function whereOf(event) {
  const box = slate.getBoundingClientRect();
  const scale = slate.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function followKeys(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const move = moves[event.key];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (move) {
    const inside = (value) => Math.min(slate.width - PEN, Math.max(PEN, value));
    const target = { x: inside(place.x + STEP * move[0]), y: inside(place.y + STEP * move[1]) };
    if (isDown) drawTo(target);
    Object.assign(place, target);
  } else if (event.key === " ") {
    isDown = !isDown;
    if (isDown) drawTo(place);
    speak(isDown ? "Pen down" : "Pen up");
  } else if (event.key === "Delete" || event.key === "Backspace") {
    clear();
  } else {
    return;
  }
  event.preventDefault();
  pen.hidden = false;
  showPen();
}

function showPen() {
  pen.style.left = `${(100 * place.x) / slate.width}%`;
  pen.style.top = `${(100 * place.y) / slate.height}%`;
  pen.classList.toggle("down", isDown);
}

function drawTo(target) {
  context.beginPath();
  context.moveTo(place.x, place.y);
  context.lineTo(target.x, target.y);
  context.stroke();
  Object.assign(place, target);
  if (!waiting) waiting = setTimeout(classify, PAUSE_MS);
}

function clear() {
  context.clearRect(0, 0, slate.width, slate.height);
  Object.assign(place, { x: slate.width / 2, y: slate.height / 2 });
  showAnswer(null);
}

// --- net ----------------------------------------------------------------------------------------------------------

async function classify() {
  waiting = 0;
  if (asking) {
    waiting = setTimeout(classify, PAUSE_MS);
    return;
  }
  const drawn = ink();
  if (!isDrawn(drawn)) return; // it has been cleared since
  asking = true;
  const answer = await ask(drawn).catch(() => "connection lost");
  asking = false;
  if (typeof answer === "string") say(answer);
  else if (isDrawn(ink())) showAnswer(answer);
}

async function ask(body) {
  const headers = { "Content-Type": "application/octet-stream" };
  const answer = await fetch("/api/classify", { method: "POST", headers, body });
  const said = await answer.json();
  return answer.ok ? said : said.error;
}

function ink() {
  const { data } = context.getImageData(0, 0, slate.width, slate.height);
  return Uint8Array.from({ length: data.length / 4 }, (_, index) => data[4 * index + 3]); // how much ink covers a pixel
}

function isDrawn(drawn) {
  return drawn.some((value) => value > 0);
}

function showAnswer(answer) {
  byId("drawn").textContent = answer ? answer.digit : "?";
  say(answer ? `Reads as ${answer.digit}, ${Math.floor(100 * answer.confidence)} % sure.` : "Nothing is drawn yet.");
  [...byId("bars").children].forEach((item, digit) => {
    const probability = answer ? answer.probabilities[digit] : 0;
    item.querySelector(".bar span").style.width = `${100 * probability}%`;
    item.querySelector(".percent").textContent = answer ? `${(100 * probability).toFixed(1)} %` : "–";
    item.classList.toggle("best", answer?.digit === digit);
  });
  showCrop(answer ? Uint8Array.from(atob(answer.crop), (letter) => letter.charCodeAt(0)) : new Uint8Array(784));
}

function showCrop(grey) {
  const image = new ImageData(28, 28);
  grey.forEach((value, index) => image.data.set([value, value, value, 255], 4 * index));
  byId("crop").getContext("2d").putImageData(image, 0, 0);
}

function say(words) {
  byId("drawn-words").textContent = words;
  clearTimeout(speaking);
  speaking = setTimeout(() => speak(words), REST_MS);
}

function speak(words) {
  byId("drawn-spoken").textContent = words;
}
