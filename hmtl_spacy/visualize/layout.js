// Where the arrows of a sentence's relations run: above its words, from where those are.
const PITCH = 1.55; // from level to level, in heights of a label
const pen = document.createElement("canvas").getContext("2d");

const middle = (box) => (box.left + box.right) / 2;
const apart = (one, other) => one.right < other.left || other.right < one.left;
const limit = (value, low, high) => Math.max(low, Math.min(high, value));

// The lowest level on which each interval meets no other, the shortest first.
function stack(intervals) {
  const levels = [];
  for (const one of intervals.sort((a, b) => a.right - a.left - (b.right - b.left))) {
    one.level = levels.findIndex((level) => level.every((other) => apart(one, other)));
    if (one.level < 0) one.level = levels.push([]) - 1;
    levels[one.level].push(one);
  }
  return levels.length;
}

// The layout of one sentence: its tokens, marks (spans), links (relations) and arrows, in pixels from its corner.
class Sentence {
  constructor(element) {
    this.element = element;
    this.tokens = [...element.querySelectorAll(".token")].map((token) => {
      const [start, end] = [token.dataset.start, token.dataset.end].map(Number);
      return { element: token, word: token.firstElementChild, start, end };
    });
    this.all = [...element.querySelectorAll(".begins")].map((bar) => new Mark(bar, this.tokens));
    this.layers = element.querySelector(".marks").dataset.layers.split(" ");
    const list = element.matches(".related") ? [...element.nextElementSibling.children] : [];
    this.related = list.map((item, index) => ({ item, index }));
    for (const link of this.related) {
      for (const side of ["head", "tail"]) link[side] = this.tokens.filter((token) => covers(link.item, side, token.element));
    }
    this.related = this.related.filter((link) => link.head.length && link.tail.length);
  }

  clear() {
    this.element.querySelector("svg")?.remove();
    for (const mark of this.all) mark.clear();
    for (const { element, word } of this.tokens) element.style.lineHeight = element.style.verticalAlign = word.style.verticalAlign = "";
    const hidden = HIDDEN(this.element);
    this.marks = this.all.filter(({ layer }) => !hidden.has(layer));
    this.links = this.related.filter(({ item }) => !hidden.has(item.dataset.layer));
  }

  // Where the words are, and on which line; a word that is broken is on several.
  measure() {
    const box = this.element.getBoundingClientRect();
    Object.assign(this, { width: box.width, height: box.height, lines: [] });
    for (const token of this.tokens) {
      token.boxes = [...token.word.getClientRects()].map(({ left, right, top, bottom }) => {
        if (!this.lines.length || Math.abs(top - box.top - this.lines.at(-1).top) > 3) this.lines.push({ top: top - box.top, bottom: bottom - box.top });
        return { line: this.lines.length - 1, left: left - box.left, right: right - box.left };
      });
    }
  }

  // Which way each arrow takes, and how many rows and levels each line needs.
  plan() {
    const style = getComputedStyle(this.element);
    this.size = parseFloat(style.fontSize);
    this.unit = 0.72 * this.size;
    this.row = Math.round(ROW * this.unit);
    this.gutter = parseFloat(style.paddingLeft);
    this.rightToLeft = style.direction === "rtl";
    pen.font = `600 ${this.unit}px ${style.fontFamily}`;
    this.measure();
    for (const mark of this.marks) mark.plan(this);
    this.planRows();
    this.arrows = this.links.map((link) => this.route(link));
    this.spread();
    this.pieces = this.arrows.flatMap((arrow) => this.cut(arrow));
    this.levels = this.lines.map((_, line) => stack(this.pieces.filter((piece) => piece.line === line)));
    for (const onRight of [false, true]) this.findLanes(onRight);
  }

  // The rows of marks above and below each line, and at which row each layer begins.
  planRows() {
    const pieces = this.lines.map(() => []);
    for (const piece of this.marks.flatMap((mark) => mark.pieces)) pieces[piece.line].push(piece);
    this.rows = pieces.map((here) => {
      const rows = { above: 0, below: 0, first: {} };
      for (const layer of this.layers) {
        const count = stack(here.filter(({ mark }) => mark.layer === layer));
        rows.first[layer] = rows.below;
        rows[layer === "entities" ? "above" : "below"] += count;
      }
      return rows;
    });
  }

  // Of a piece of a mark.
  topOf({ mark, line, level }) {
    if (mark.above) return this.lines[line].top - (level + 1) * this.row;
    return this.lines[line].bottom + 3 + (this.rows[line].first[mark.layer] + level) * this.row;
  }

  // The upright parts of arrows that go from line to line, side by side in the margin.
  findLanes(onRight) {
    const around = this.arrows.filter(({ from, to, onRight: side }) => from.line !== to.line && side === onRight);
    const lanes = around.map((arrow) => {
      const [left, right] = [arrow.from.line, arrow.to.line].sort((a, b) => a - b); // from line to line, as if it lay
      return (arrow.lane = { left, right });
    });
    const count = stack(lanes);
    for (const lane of lanes) {
      const out = (this.gutter * (lane.level + 1)) / (count + 1);
      lane.x = onRight ? this.width - this.gutter + out : this.gutter - out;
    }
  }

  // The parts of head and tail that are next to each other; round lines on the nearer side.
  route(link) {
    const pairs = stretches(link.head).flatMap((from) => stretches(link.tail).map((to) => ({ from, to })));
    const cost = ({ from, to }) => 1e5 * Math.abs(from.line - to.line) + Math.abs(middle(from) - middle(to));
    const best = pairs.reduce((one, other) => (cost(other) < cost(one) ? other : one));
    const label = fitted(link.item.dataset.label, this.width - 2 * this.gutter - 6);
    const onRight = middle(best.from) + middle(best.to) > this.width;
    return { ...best, link, onRight, label, labelWidth: pen.measureText(label).width + 6 };
  }

  // The ends at one argument, side by side so that arrows needn't cross.
  spread() {
    const ends = new Map();
    for (const arrow of this.arrows) {
      for (const [own, other, key] of [[arrow.from, arrow.to, "fromX"], [arrow.to, arrow.from, "toX"]]) {
        const aim = own.line === other.line ? middle(other) : arrow.onRight ? this.width : 0;
        const place = `${own.line} ${own.left} ${own.right}`;
        if (!ends.has(place)) ends.set(place, []);
        ends.get(place).push({ arrow, key, own, aim, rightward: aim > middle(own) });
      }
    }
    for (const group of ends.values()) {
      group.sort((a, b) => a.rightward - b.rightward || b.aim - a.aim);
      group.forEach(({ arrow, key, own }, i) => {
        arrow[key] = own.left + ((own.right - own.left) * (i + 1)) / (group.length + 1);
      });
    }
  }

  // The level parts of an arrow, one on each line that it touches; the longest has the label.
  cut(arrow) {
    const edge = arrow.onRight ? this.width : 0;
    const whole = arrow.from.line === arrow.to.line;
    const spans = whole ? [[arrow.fromX, arrow.toX, arrow.from.line]] : [[arrow.fromX, edge, arrow.from.line], [arrow.toX, edge, arrow.to.line]];
    arrow.pieces = spans.map(([a, b, line]) => ({ arrow, line, left: Math.min(a, b), right: Math.max(a, b), ends: whole ? [a, b] : [a] }));
    const longest = arrow.pieces.reduce((one, other) => (other.right - other.left > one.right - one.left ? other : one));
    const half = arrow.labelWidth / 2;
    longest.span = [longest.left, longest.right];
    longest.label = limit(middle(longest), this.gutter + half, this.width - this.gutter - half);
    longest.left = Math.min(longest.left, longest.label - half) - 1;
    longest.right = Math.max(longest.right, longest.label + half) + 1;
    return arrow.pieces;
  }

  // Above each line for its labels and arrows, below it for its marks. The text keeps its baseline: a token's
  // box is lowered and its word raised by half of the difference between what is above and what is below.
  space() {
    const base = 1.35 * this.size;
    const heights = this.rows.map(({ above, below }, line) => [
      above * this.row + (this.levels[line] ? (this.levels[line] * PITCH + 0.8) * this.unit : 0),
      below * this.row + (below ? 9 : 4),
    ]);
    for (const { element, word, boxes } of this.tokens) {
      const [above, below] = [0, 1].map((side) => Math.max(0, ...boxes.map(({ line }) => heights[line][side])));
      const lower = (below - above) / 2;
      element.style.lineHeight = `${base + above + below}px`;
      element.style.verticalAlign = `${-lower}px`;
      word.style.verticalAlign = `${lower}px`;
    }
  }

  // Of the level part of an arrow.
  heightOf({ line, level }) {
    return this.lines[line].top - this.rows[line].above * this.row - (level * PITCH + 0.8) * this.unit;
  }

  // Where an arrow ends: at the label of a named entity of its argument if there is one at that place, else at the word.
  under(tokens, line, x) {
    const labels = this.marks.filter(({ above, tokens: own }) => above && own.some((token) => tokens.includes(token)));
    const here = labels.flatMap((mark) => mark.pieces).filter((piece) => piece.line === line && piece.left <= x && x <= piece.right);
    return Math.min(this.lines[line].top, ...here.map((piece) => this.topOf(piece))) - 1;
  }
}

// Whether a relation's head or tail covers a token.
function covers(item, side, token) {
  const [start, end] = item.dataset[side].split(" ").map(Number);
  return start <= token.dataset.start && token.dataset.start < end;
}
