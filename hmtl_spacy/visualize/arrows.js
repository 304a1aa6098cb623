// Relations as arrows above their sentence; all that is drawn of it.
const SVG = "http://www.w3.org/2000/svg";

// A path along points, its corners rounded.
function rounded(points, radius) {
  const parts = points.slice(1, -1).map(([x, y], i) => {
    const near = [points[i], points[i + 2]].map(([u, v]) => {
      const length = Math.hypot(u - x, v - y) || 1;
      const share = Math.min(radius, length / 2) / length;
      return `${x + (u - x) * share},${y + (v - y) * share}`;
    });
    return `L${near[0]} Q${x},${y} ${near[1]}`;
  });
  return `M${points[0]} ${parts.join(" ")} L${points.at(-1)}`;
}

function drawn(parent, name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return parent.appendChild(element);
}

function draw(sentence) {
  for (const mark of sentence.marks) mark.draw(sentence);
  if (!sentence.arrows.length) return;
  const svg = drawn(sentence.element, "svg", { class: "arrows", "aria-hidden": "true" });
  for (const arrow of sentence.arrows) drawLine(svg, sentence, arrow);
  for (const piece of sentence.pieces.filter((one) => one.label)) drawLabel(svg, sentence, piece);
}

function drawLine(svg, sentence, arrow) {
  const { from, to, fromX, toX, pieces, lane, link } = arrow;
  const [first, last] = [pieces[0], pieces.at(-1)].map((piece) => sentence.heightOf(piece));
  const [begin, end] = [sentence.under(link.head, from.line, fromX), sentence.under(link.tail, to.line, toX)];
  const around = lane ? [[lane.x, first], [lane.x, last]] : [];
  const path = rounded([[fromX, begin], [fromX, first], ...around, [toX, last], [toX, end]], 5);
  const group = drawn(svg, "g", { class: `arrow${link.item.matches(".differs") ? " differs" : ""}`, "data-link": link.index });
  drawn(group, "path", { class: "near", d: path });
  drawn(group, "path", { class: "line", d: path });
  drawn(group, "path", { class: "point", d: `M${toX - 3.5},${end - 6} L${toX},${end} L${toX + 3.5},${end - 6} Z` });
}

// Above its line, where the fewest arrows that are higher up come down.
function drawLabel(svg, sentence, piece) {
  const { arrow, line, level, span } = piece;
  const half = arrow.labelWidth / 2;
  const legs = sentence.pieces.filter((one) => one.line === line && one.level > level).flatMap((one) => one.ends);
  const crossed = (x) => legs.filter((leg) => Math.abs(leg - x) < half).length;
  const free = span[1] - span[0] - 2 * half - 10;
  const places = [0, -0.25, 0.25, -0.5, 0.5].map((share) => piece.label + Math.max(0, free) * share);
  const best = places.reduce((one, other) => (crossed(other) < crossed(one) ? other : one));
  const x = limit(best, sentence.gutter + half, sentence.width - sentence.gutter - half);
  const attributes = { class: `arrow${arrow.link.item.matches(".differs") ? " differs" : ""}`, "data-link": arrow.link.index };
  drawn(svg, "text", { ...attributes, x, y: sentence.heightOf(piece) - 0.25 * sentence.unit, "font-size": sentence.unit }, arrow.label);
}

// Of long texts what is on the screen is drawn at once, the rest some sentences at a time, nearest first.
const AT_ONCE = 40;
const SLICE = 10;
const waiting = new Set();
let drawing = null;

function drawArrows(sentences, all = sentences.length <= AT_ONCE) {
  const shown = sentences.filter(isShown);
  if (all) return drawTogether(shown);
  const away = new Map(shown.map((sentence) => [sentence, distance(sentence)]));
  const near = shown.filter((sentence) => away.get(sentence) < innerHeight / 2);
  const rest = shown.filter((sentence) => away.get(sentence) >= innerHeight / 2);
  for (const sentence of rest.sort((one, other) => away.get(one) - away.get(other))) waiting.add(sentence);
  drawTogether(near);
  drawing ??= setTimeout(drawWaiting);
}

function drawWaiting() {
  const next = [...waiting].slice(0, SLICE);
  for (const sentence of next) waiting.delete(sentence);
  drawTogether(next.filter(isShown));
  drawing = waiting.size ? setTimeout(drawWaiting) : null;
}

const isShown = ({ element }) => element.isConnected && element.offsetWidth;

// From the screen to a sentence, in pixels.
function distance({ element }) {
  const { top, bottom } = element.getBoundingClientRect();
  return Math.max(0, -bottom, top - innerHeight);
}

// All steps for all sentences together: the browser lays the page out once a step, not once a sentence.
function drawTogether(sentences) {
  for (const sentence of sentences) waiting.delete(sentence);
  for (const step of ["clear", "plan", "space", "measure"]) {
    for (const sentence of sentences) sentence[step]();
  }
  sentences.forEach(draw);
}
