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

// The layout of one sentence: its tokens, links (relations) and arrows, in pixels from its corner.
class Sentence {
  constructor(element) {
    this.element = element;
    this.tokens = [...element.querySelectorAll(".token")].map((token) => ({ element: token }));
    const list = element.matches(".related") ? element.nextElementSibling : null;
    this.links = [...(list?.children ?? [])].map((item, index) => ({ item, index }));
    for (const link of this.links) {
      for (const side of ["head", "tail"]) link[side] = this.tokens.filter((token) => covers(link.item, side, token.element));
    }
    this.links = this.links.filter((link) => link.head.length && link.tail.length);
  }

  clear() {
    this.element.querySelector("svg")?.remove();
    for (const { element } of this.tokens) element.style.paddingTop = "";
    for (const bar of this.element.querySelectorAll(".continues")) bar.classList.remove("continues");
  }

  // Where the tokens are, and on which line.
  measure() {
    const box = this.element.getBoundingClientRect();
    Object.assign(this, { width: box.width, height: box.height, tops: [] });
    for (const token of this.tokens) {
      const at = token.element.getBoundingClientRect();
      if (!this.tops.length || Math.abs(at.top - box.top - this.tops.at(-1)) > 3) this.tops.push(at.top - box.top);
      const cell = token.element.querySelector(".entities, .word").getBoundingClientRect();
      token.box = { line: this.tops.length - 1, left: at.left - box.left, right: at.right - box.left, top: cell.top - box.top };
    }
  }

  // Which way each arrow takes, and how many levels each line needs.
  plan() {
    const style = getComputedStyle(this.element);
    this.unit = 0.7 * parseFloat(style.fontSize);
    this.gutter = parseFloat(style.paddingLeft);
    pen.font = `600 ${this.unit}px ${style.fontFamily}`;
    this.measure();
    this.arrows = this.links.map((link) => this.route(link));
    this.spread();
    this.pieces = this.arrows.flatMap((arrow) => this.cut(arrow));
    this.levels = this.tops.map((_, line) => stack(this.pieces.filter((piece) => piece.line === line)));
    for (const onRight of [false, true]) this.findLanes(onRight);
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
    const parts = (tokens) => {
      const found = [];
      for (const { box } of tokens) {
        const last = found.at(-1);
        if (last?.line !== box.line) found.push({ ...box });
        else Object.assign(last, { left: Math.min(last.left, box.left), right: Math.max(last.right, box.right) });
      }
      return found;
    };
    const pairs = parts(link.head).flatMap((from) => parts(link.tail).map((to) => ({ from, to })));
    const cost = ({ from, to }) => 1e5 * Math.abs(from.line - to.line) + Math.abs(middle(from) - middle(to));
    const best = pairs.reduce((one, other) => (cost(other) < cost(one) ? other : one));
    let label = link.item.dataset.label;
    while (label.length > 2 && pen.measureText(label).width > this.width - 2 * this.gutter - 6) label = `${label.slice(0, -2)}…`;
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

  // Above each line for its arrows; clusters that go on in a line show their number again.
  space() {
    this.above = this.levels.map((count) => (count ? (count * PITCH + 0.8) * this.unit : 0));
    let line = 0;
    for (const { element, box } of this.tokens) {
      if (this.above[box.line]) element.style.paddingTop = `${this.above[box.line]}px`;
      if (box.line > line) for (const bar of element.querySelectorAll(".coref:not(.begins)")) bar.classList.add("continues");
      line = box.line;
    }
  }

  // Of the level part of an arrow.
  heightOf(piece) {
    return this.tops[piece.line] + this.above[piece.line] - (piece.level * PITCH + 0.8) * this.unit;
  }

  // The top of what an argument shows at a place: its entity if it is one, else its word.
  under(tokens, line, x) {
    const here = tokens.filter(({ box }) => box.line === line);
    return (here.find(({ box }) => box.left <= x && x <= box.right) ?? here[0]).box.top - 2;
  }
}

// Whether a relation's head or tail covers a token.
function covers(item, side, token) {
  const [start, end] = item.dataset[side].split(" ").map(Number);
  return start <= token.dataset.start && token.dataset.start < end;
}
