"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const ROW = 0, START = 1, END = 2, NODE = 3, STEP = 4, ISSUE = 5, OUTCOME = 6, COMMITTED = 7, INPUTS = 8, TAG = 9, TOLD = 10, MORE = 11;
const SQUASHED = 1, FAILED = 2, CANCELLED = 5, TOP = 24, LEFT = 8, MAX_LINKS = 4000;
const all = data.fragments, element = (id) => document.getElementById(id);
const canvas = element("lanes"), context = canvas.getContext("2d"), tip = element("tip"), details = element("details");
const critical = new Set(data.chain), hidden = new Set();
const byRow = [], callsOf = new Map(), children = new Map();
all.forEach((f, i) => {
  (byRow[f[ROW]] ??= []).push(i);
  f[INPUTS].forEach((p) => children.has(p) ? children.get(p).push(i) : children.set(p, [i]));
});
data.calls.forEach((call) => callsOf.has(call[0]) ? callsOf.get(call[0]).push(call) : callsOf.set(call[0], [call]));
const view = { from: 0, to: Math.max(data.length, 1), row: 18, scroll: 0, width: 1, height: 1 };
let selected = -1, matches = null, current = -1, waiting = false, hatch = null;

const x = (t) => LEFT + (t - view.from) / (view.to - view.from) * (view.width - 2 * LEFT);
const time = (px) => view.from + (px - LEFT) / (view.width - 2 * LEFT) * (view.to - view.from);
const y = (row) => TOP + row * view.row - view.scroll;
const lost = (f) => f[OUTCOME] === SQUASHED || f[OUTCOME] === CANCELLED;
const seconds = (t) => t >= 1e6 ? (t / 1e6).toFixed(3) + " s" : t >= 1e3 ? (t / 1e3).toFixed(2) + " ms" : t + " µs";

function measure() {
  const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  view.width = Math.max(box.width, 50);
  view.height = Math.max(box.height, 50);
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function clamp() {
  const longest = Math.max(data.length, 1) * 1.02, span = Math.min(Math.max(view.to - view.from, 20), longest);
  view.from = Math.min(Math.max(view.from, -0.01 * longest), longest - span);
  view.to = view.from + span;
  view.row = Math.min(Math.max(view.row, Math.min(1, (view.height - TOP) / Math.max(data.lanes, 1))), 40);
  view.scroll = Math.min(Math.max(view.scroll, 0), Math.max(0, data.lanes * view.row - view.height + TOP + 4));
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function hatched() {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = "rgba(255,255,255,.85)";
  pen.lineWidth = 2;
  for (const at of [-6, 0, 6]) { pen.moveTo(at - 1, 7); pen.lineTo(at + 7, -1); }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

function draw() {
  clamp();
  hatch ??= hatched();
  context.fillStyle = "#fff";
  context.fillRect(0, 0, view.width, view.height);
  context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  const first = Math.max(0, Math.floor(view.scroll / view.row)), last = Math.min(data.lanes - 1, Math.ceil((view.scroll + view.height) / view.row));
  drawSteps();
  for (let row = first; row <= last; row++) for (const i of byRow[row] || []) drawFragment(i);
  if (element("links").checked) drawAllLinks(first, last);
  if (element("critical").checked) drawChain();
  if (selected >= 0) drawLinks(selected);
  drawAxis();
}

function drawSteps() {
  context.strokeStyle = "#bbb";
  context.setLineDash([3, 3]);
  context.beginPath();
  let before = -10;
  for (const [, at] of data.steps) {
    const px = x(at);
    if (px < 0 || px > view.width || px - before < 3) continue;
    before = px;
    context.moveTo(px, TOP - 4);
    context.lineTo(px, view.height);
  }
  context.stroke();
  context.setLineDash([]);
}

function shown(f, i) {
  return !hidden.has(f[NODE]) && (matches === null || matches.has(i));
}

function drawFragment(i) {
  const f = all[i], left = x(f[START]), right = x(f[END]), end = f[COMMITTED] === null ? right : Math.max(right, x(f[COMMITTED]));
  if (end < 0 || left > view.width) return;
  const pad = view.row > 8 ? 2 : view.row > 3 ? 0.5 : 0, top = y(f[ROW]) + pad, height = Math.max(view.row - 2 * pad, 0.5);
  const from = Math.max(left, -20), width = Math.max(Math.min(right, view.width + 20) - from, 1);
  context.globalAlpha = shown(f, i) ? 1 : 0.12;
  context.fillStyle = f[OUTCOME] === FAILED ? "#c01c28" : data.colours[f[NODE]];
  context.fillRect(from, top, width, height);
  if (lost(f)) { context.fillStyle = hatch; context.fillRect(from, top, width, height); }
  if (f[ISSUE] > 0 && view.row >= 6) { context.fillStyle = "#fff"; context.fillRect(from + 1, top + 1, Math.min(2, width), height - 2); }
  if (f[COMMITTED] !== null && view.row >= 4) {
    const middle = top + height / 2, at = x(f[COMMITTED]);
    if (at > right + 1) { context.fillStyle = "#999"; context.fillRect(right, middle - 0.5, at - right, 1); }
    if (view.row >= 8) {
      context.fillStyle = "#333";
      context.beginPath();
      context.moveTo(at, middle - 3); context.lineTo(at + 3, middle); context.lineTo(at, middle + 3); context.lineTo(at - 3, middle);
      context.fill();
    }
  }
  if (view.row >= 12) drawCalls(i, top + height - 4);
  if (width > 40 && view.row >= 14) drawLabel(f, from, top, width, height);
  context.globalAlpha = 1;
  if (i === selected || i === current) outline(f, i === selected ? "#1a5fb4" : "#e66100", 2);
}

function drawLabel(f, left, top, width, height) {
  context.save();
  context.beginPath();
  context.rect(left, top, width - 2, height);
  context.clip();
  context.fillStyle = lost(f) ? "#222" : "#fff";
  context.strokeStyle = "rgba(0,0,0,.55)";
  context.lineWidth = 2;
  const at = Math.max(left, 0) + 5, text = data.nodes[f[NODE]].slice(0, 80);
  if (!lost(f)) context.strokeText(text, at, top + height / 2 + 3);
  context.fillText(text, at, top + height / 2 + 3);
  context.restore();
}

function drawCalls(i, top) {
  for (const call of callsOf.get(i) || []) {
    const left = x(call[1]), width = Math.max(x(call[2]) - left, 1);
    context.fillStyle = "rgba(0,0,0,.35)";
    context.fillRect(left, top, width, 3);
  }
}

function outline(f, colour, width) {
  const pad = view.row > 8 ? 2 : 0, left = Math.max(x(f[START]), -20), right = Math.min(x(f[END]), view.width + 20);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(left, y(f[ROW]) + pad, Math.max(right - left, 2), Math.max(view.row - 2 * pad, 2));
}

function arrow(p, f, colour) {
  const from = Math.min(all[p][END], all[f][START]), x1 = x(from), x2 = x(all[f][START]), half = view.row / 2;
  const y1 = y(all[p][ROW]) + half, y2 = y(all[f][ROW]) + half, bend = Math.max(12, (x2 - x1) / 2);
  if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > view.width || Math.max(y1, y2) < TOP || Math.min(y1, y2) > view.height) return;
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x1, y1);
  context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
  context.stroke();
}

function drawLinks(i) {
  context.lineWidth = 1.5;
  all[i][INPUTS].slice(0, MAX_LINKS).forEach((p) => arrow(p, i, "#1a5fb4"));
  (children.get(i) || []).slice(0, MAX_LINKS).forEach((c) => arrow(i, c, "#e66100"));
}

function drawAllLinks(first, last) {
  context.lineWidth = 1;
  let drawn = 0;
  for (let row = first; row <= last && drawn < MAX_LINKS; row++)
    for (const i of byRow[row] || [])
      for (const p of all[i][INPUTS]) if (drawn++ < MAX_LINKS) arrow(p, i, "rgba(90,90,90,.4)");
}

function drawChain() {
  data.chain.forEach((i, at) => {
    outline(all[i], "#000", 2);
    const before = data.chain[at - 1];
    if (before !== undefined) { context.lineWidth = 2; arrow(before, i, "#000"); }
  });
}

function drawAxis() {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, view.width, TOP - 4);
  context.fillStyle = "#555";
  const wanted = (view.to - view.from) / Math.max(view.width / 110, 1), power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted);
  for (let at = Math.ceil(Math.max(view.from, 0) / step) * step; at <= view.to; at += step) {
    context.fillRect(x(at), TOP - 8, 1, 5);
    context.fillText(seconds(Math.round(at)), x(at) + 3, 12);
  }
}

function hit(px, py) {
  if (py < TOP) return -1;
  const row = Math.floor((py - TOP + view.scroll) / view.row), t = time(px), slack = (view.to - view.from) / view.width * 3;
  let best = -1;
  for (const i of byRow[row] || []) if (all[i][START] - slack <= t && t <= all[i][END] + slack) best = i;
  return best;
}

function line(list, key, value) {
  const term = document.createElement("dt"), text = document.createElement("dd");
  term.textContent = key;
  text.append(value);
  list.append(term, text);
}

function jump(i) {
  const button = document.createElement("button");
  button.textContent = all[i][TAG];
  button.onclick = () => { show(i); select(i); };
  return button;
}

function several(list, key, those) {
  if (!those.length) return;
  const box = document.createElement("div");
  those.slice(0, 50).forEach((i) => { const one = document.createElement("div"); one.append(jump(i)); box.append(one); });
  if (those.length > 50) box.append(`and ${those.length - 50} more`);
  line(list, key, box);
}

function attributes(list, pairs) {
  for (let at = 0; at < pairs.length; at += 2) line(list, data.keys[pairs[at]], pairs[at + 1]);
}

function select(i) {
  selected = i;
  details.hidden = i < 0;
  details.replaceChildren();
  if (i >= 0) {
    const f = all[i], head = document.createElement("h2"), list = document.createElement("dl");
    head.textContent = f[TAG];
    line(list, "node", data.nodes[f[NODE]]);
    line(list, "superstep", String(f[STEP]));
    line(list, "issued, and what came of it", `${data.issues[f[ISSUE]]}, ${data.outcomes[f[OUTCOME]]}`);
    line(list, "ran", `${seconds(f[END] - f[START])}, from ${seconds(f[START])} to ${seconds(f[END])}`);
    if (f[COMMITTED] !== null) line(list, "committed", `at ${seconds(f[COMMITTED])}, ${seconds(Math.max(f[COMMITTED] - f[END], 0))} later`);
    if (f[TOLD]) line(list, lost(f) ? "thrown away because" : "kept back because", f[TOLD]);
    several(list, "needs", f[INPUTS]);
    several(list, "needed by", children.get(i) || []);
    attributes(list, f[MORE]);
    (callsOf.get(i) || []).slice(0, 50).forEach((call) => {
      line(list, call[3], `${seconds(call[2] - call[1])}, from ${seconds(call[1])}`);
      attributes(list, call[4]);
    });
    details.append(head, list);
  }
  measure();
  redraw();
}

function show(i) {
  const f = all[i], span = view.to - view.from;
  if (f[END] < view.from || f[START] > view.to || f[END] - f[START] < span / view.width * 2) {
    const width = Math.min(span, Math.max((f[END] - f[START]) * 8, 200));
    view.from = (f[START] + f[END] - width) / 2;
    view.to = view.from + width;
  }
  view.scroll = f[ROW] * view.row - (view.height - TOP) / 2;
  redraw();
}

function find(text) {
  const word = text.trim().toLowerCase();
  matches = null;
  current = -1;
  if (word) {
    const nodes = data.nodes.map((name) => name.toLowerCase().includes(word));
    const calls = new Set(data.calls.filter((call) => call[3].toLowerCase().includes(word)).map((call) => call[0]));
    const says = (f, i) => nodes[f[NODE]] || calls.has(i) || f[TAG].toLowerCase().includes(word)
      || data.outcomes[f[OUTCOME]].includes(word) || data.issues[f[ISSUE]].includes(word);
    matches = new Set(all.map((_, i) => i).filter((i) => says(all[i], i)));
  }
  element("found").textContent = matches === null ? "" : `${matches.size} found`;
  redraw();
}

function next(back) {
  const those = matches ? [...matches] : [];
  if (!those.length) return;
  const at = those.indexOf(current);
  current = those[(at + (back ? those.length - 1 : 1) + (at < 0 && back ? 1 : 0)) % those.length];
  element("found").textContent = `${those.indexOf(current) + 1} of ${those.length}`;
  show(current);
}

function zoom(factor, around = (view.from + view.to) / 2) {
  view.from = around - (around - view.from) * factor;
  view.to = around + (view.to - around) * factor;
  redraw();
}

function taller(factor, py = view.height / 2) {
  const row = (py - TOP + view.scroll) / view.row;
  view.row *= factor;
  clamp();
  view.scroll = row * view.row - py + TOP;
  redraw();
}

function fit() {
  view.from = 0;
  view.to = Math.max(data.length, 1) * 1.01;
  view.row = Math.min(22, Math.max((view.height - TOP - 4) / Math.max(data.lanes, 1), 0.02));
  view.scroll = 0;
  redraw();
}

let drag = null, moved = false;
canvas.addEventListener("pointerdown", (e) => { drag = [e.clientX, e.clientY]; moved = false; canvas.setPointerCapture(e.pointerId); });
canvas.addEventListener("pointerup", (e) => {
  if (drag && !moved) select(hit(e.offsetX, e.offsetY));
  drag = null;
});
canvas.addEventListener("pointermove", (e) => {
  if (drag) {
    const across = e.clientX - drag[0], down = e.clientY - drag[1], per = (view.to - view.from) / (view.width - 2 * LEFT);
    if (!moved && Math.abs(across) + Math.abs(down) < 4) return;
    moved = true;
    drag = [e.clientX, e.clientY];
    view.from -= across * per;
    view.to -= across * per;
    view.scroll -= down;
    tip.hidden = true;
    redraw();
    return;
  }
  const i = hit(e.offsetX, e.offsetY);
  tip.hidden = i < 0;
  if (i < 0) return;
  const f = all[i];
  tip.textContent = `${f[TAG]}: ${seconds(f[END] - f[START])}, superstep ${f[STEP]}, ${data.issues[f[ISSUE]]}, ${data.outcomes[f[OUTCOME]]}`;
  tip.style.left = `${Math.max(0, Math.min(e.offsetX + 12, view.width - 300))}px`;
  tip.style.top = `${Math.min(e.offsetY + 14, view.height - 30)}px`;
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
canvas.addEventListener("wheel", (e) => {
  e.preventDefault();
  if (e.ctrlKey || e.metaKey) zoom(1.0015 ** e.deltaY, time(e.offsetX));
  else if (e.altKey) taller(1.0015 ** -e.deltaY, e.offsetY);
  else {
    const per = (view.to - view.from) / view.width, across = e.shiftKey ? e.deltaY : e.deltaX;
    view.from += across * per;
    view.to += across * per;
    if (!e.shiftKey) view.scroll += e.deltaY;
    redraw();
  }
}, { passive: false });
document.addEventListener("keydown", (e) => {
  if (e.target === element("search")) {
    if (e.key === "Enter") next(e.shiftKey);
    if (e.key === "Escape") { element("search").value = ""; find(""); canvas.focus(); }
    return;
  }
  const step = (view.to - view.from) / 10;
  const keys = {
    "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), "0": fit, "[": () => taller(0.7), "]": () => taller(1.4),
    "ArrowLeft": () => { view.from -= step; view.to -= step; redraw(); }, "ArrowRight": () => { view.from += step; view.to += step; redraw(); },
    "ArrowUp": () => { view.scroll -= 60; redraw(); }, "ArrowDown": () => { view.scroll += 60; redraw(); },
    "/": () => element("search").focus(), "Escape": () => select(-1),
  };
  if (keys[e.key] && !e.ctrlKey && !e.metaKey) { e.preventDefault(); keys[e.key](); }
});
element("search").addEventListener("input", (e) => find(e.target.value));
element("in").onclick = () => zoom(0.6);
element("out").onclick = () => zoom(1.6);
element("fit").onclick = fit;
element("taller").onclick = () => taller(1.6);
element("flatter").onclick = () => taller(0.6);
element("critical").onchange = element("links").onchange = redraw;
data.nodes.slice(0, 200).forEach((name, number) => {
  const button = document.createElement("button"), mark = document.createElement("i");
  mark.style.background = data.colours[number];
  button.append(mark, name);
  button.title = "Show or dim";
  button.onclick = () => { hidden.has(number) ? hidden.delete(number) : hidden.add(number); button.classList.toggle("off"); redraw(); };
  element("legend").append(button);
});
new ResizeObserver(() => { measure(); redraw(); }).observe(canvas.parentElement);
measure();
fit();
draw();
window.alto = {
  view, select, find, zoom, fit,
  get selected() { return selected; },
  place: (i) => ({ x: (x(all[i][START]) + x(all[i][END])) / 2, y: y(all[i][ROW]) + view.row / 2 }),
  drawn: () => { const began = performance.now(); draw(); return performance.now() - began; },
};
document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
