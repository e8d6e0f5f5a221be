// A canvas to draw a digit on, with finger, mouse or keyboard, and the classification of the drawing.

const byId = (id) => document.getElementById(id);
// Pixels of the canvas: width of the pen, and its step by keyboard.
const PEN_WIDTH = 22;
const KEY_STEP = 8;
const CLASSIFY_MS = 120; // between two requests
const ANNOUNCE_MS = 700; // without changes, before a screen reader gets the result

const canvas = byId("canvas");
const pen = byId("pen");
const context = canvas.getContext("2d", { willReadFrequently: true });
const position = { x: canvas.width / 2, y: canvas.height / 2 };
let isPenDown = false; // by keyboard
let pointerId = null; // of the pointer that draws
let classifyTimer = 0;
let classifying = false;
let announceTimer = 0;

export function startDrawing() {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = PEN_WIDTH;
  context.strokeStyle = "#f4f2ea";
  for (let digit = 0; digit < 10; digit++) byId("bars").append(makeBar(digit));
  canvas.addEventListener("pointerdown", startStroke);
  canvas.addEventListener("pointermove", continueStroke);
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { pointerId = null; });
  canvas.addEventListener("keydown", followKeys);
  canvas.addEventListener("focus", () => { pen.hidden = !canvas.matches(":focus-visible"); showPen(); });
  canvas.addEventListener("blur", () => { pen.hidden = true; isPenDown = false; });
  byId("clear").addEventListener("click", clear);
  showResult(null);
  clearTimeout(announceTimer); // no announcement at the start
}

function makeBar(digit) {
  const item = document.createElement("li");
  item.innerHTML = `<span>${digit}</span><span class="bar" aria-hidden="true"><span></span></span><span class="percent">–</span>`;
  return item;
}

// --- pen ----------------------------------------------------------------------------------------------------------

function startStroke(event) {
  pointerId = event.pointerId;
  canvas.setPointerCapture(pointerId);
  pen.hidden = true;
  Object.assign(position, positionOf(event));
  drawTo(position);
}

function continueStroke(event) {
  if (event.pointerId !== pointerId) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  for (const move of moves.length ? moves : [event]) drawTo(positionOf(move));
}

function positionOf(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function followKeys(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const move = moves[event.key];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (move) {
    const inside = (value) => Math.min(canvas.width - PEN_WIDTH, Math.max(PEN_WIDTH, value));
    const target = { x: inside(position.x + KEY_STEP * move[0]), y: inside(position.y + KEY_STEP * move[1]) };
    if (isPenDown) drawTo(target);
    Object.assign(position, target);
  } else if (event.key === " ") {
    isPenDown = !isPenDown;
    if (isPenDown) drawTo(position);
    announce(isPenDown ? "Pen down" : "Pen up");
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
  pen.style.left = `${(100 * position.x) / canvas.width}%`;
  pen.style.top = `${(100 * position.y) / canvas.height}%`;
  pen.classList.toggle("down", isPenDown);
}

function drawTo(target) {
  context.beginPath();
  context.moveTo(position.x, position.y);
  context.lineTo(target.x, target.y);
  context.stroke();
  Object.assign(position, target);
  if (!classifyTimer) classifyTimer = setTimeout(classify, CLASSIFY_MS);
}

function clear() {
  context.clearRect(0, 0, canvas.width, canvas.height);
  Object.assign(position, { x: canvas.width / 2, y: canvas.height / 2 });
  showResult(null);
}

// --- classification -----------------------------------------------------------------------------------------------

async function classify() {
  classifyTimer = 0;
  if (classifying) {
    classifyTimer = setTimeout(classify, CLASSIFY_MS);
    return;
  }
  const ink = readInk();
  if (!isDrawn(ink)) return; // cleared since
  classifying = true;
  const result = await send(ink).catch(() => "connection lost");
  classifying = false;
  if (typeof result === "string") showText(result);
  else if (isDrawn(readInk())) showResult(result);
}

async function send(ink) {
  const headers = { "Content-Type": "application/octet-stream" };
  const response = await fetch("/api/classify", { method: "POST", headers, body: ink });
  const content = await response.json();
  return response.ok ? content : content.error;
}

function readInk() {
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return Uint8Array.from({ length: data.length / 4 }, (_, index) => data[4 * index + 3]); // opacity: how much ink covers a pixel
}

function isDrawn(ink) {
  return ink.some((value) => value > 0);
}

function showResult(result) {
  byId("drawn").textContent = result ? result.digit : "?";
  showText(result ? `Read as ${result.digit}, confidence ${Math.round(100 * result.confidence)} %.` : "Nothing is drawn yet.");
  [...byId("bars").children].forEach((item, digit) => {
    const probability = result ? result.probabilities[digit] : 0;
    item.querySelector(".bar span").style.width = `${100 * probability}%`;
    item.querySelector(".percent").textContent = result ? `${(100 * probability).toFixed(1)} %` : "–";
    item.classList.toggle("best", result?.digit === digit);
  });
  showCrop(result ? Uint8Array.from(atob(result.crop), (letter) => letter.charCodeAt(0)) : new Uint8Array(784));
}

function showCrop(grey) {
  const image = new ImageData(28, 28);
  grey.forEach((value, index) => image.data.set([value, value, value, 255], 4 * index));
  byId("crop").getContext("2d").putImageData(image, 0, 0);
}

function showText(text) {
  byId("drawn-text").textContent = text;
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => announce(text), ANNOUNCE_MS);
}

function announce(text) {
  byId("drawn-announcement").textContent = text;
}
