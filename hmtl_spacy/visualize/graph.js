// The entity graph: entities as circles, as large as they are often mentioned; relations as arrows between them.
const STEPS = 250;

class Graph {
  constructor(element) {
    this.element = element;
    const items = (css) => [...element.querySelectorAll(css)];
    this.nodes = items(".nodes > li").map((item) => ({ item, id: item.dataset.node, radius: 6 + 4 * Math.sqrt(item.dataset.size) }));
    const byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.edges = items(".edges > li").map((item) => ({ item, from: byId.get(item.dataset.from), to: byId.get(item.dataset.to) }));
    const turns = new Map(); // how many edges there are already from one node to another
    for (const edge of this.edges) {
      const ends = `${edge.item.dataset.from} ${edge.item.dataset.to}`;
      edge.turn = turns.get(ends) ?? 0;
      turns.set(ends, edge.turn + 1);
    }
  }

  draw() {
    if (!this.element.offsetWidth || !this.nodes.length) return;
    const style = getComputedStyle(this.element);
    this.width = this.element.clientWidth;
    this.size = 0.82 * parseFloat(style.fontSize);
    pen.font = `600 ${this.size}px ${style.fontFamily}`;
    for (const node of this.nodes) {
      node.label = fitted(node.item.dataset.name, Math.min(150, this.width / 2.5));
      node.half = Math.max(node.radius, pen.measureText(node.label).width / 2) + 6;
    }
    const related = new Set(this.edges.flatMap(({ from, to }) => [from, to]));
    const [linked, alone] = [true, false].map((wanted) => this.nodes.filter((node) => related.has(node) === wanted));
    this.height = 0;
    if (linked.length) {
      this.arrange(linked);
      this.separate(linked);
    }
    this.line(alone);
    this.paint();
  }

  // Fruchterman and Reingold's forces, from a spiral: the same graph is always laid out the same.
  arrange(nodes) {
    const { edges, width } = this;
    this.height = Math.max(200, (140 * 120 * nodes.length) / width);
    const ideal = Math.sqrt((width * this.height) / nodes.length);
    nodes.forEach((node, i) => {
      const far = Math.sqrt((i + 0.5) / nodes.length) / 2;
      Object.assign(node, { x: width * (0.5 + far * Math.cos(2.4 * i)), y: this.height * (0.5 + far * Math.sin(2.4 * i)) });
    });
    for (let step = 0; step < STEPS; step++) {
      for (const node of nodes) Object.assign(node, { dx: (width / 2 - node.x) * 0.08, dy: (this.height / 2 - node.y) * 0.12 });
      nodes.forEach((one, i) => {
        for (const other of nodes.slice(i + 1)) push(one, other, (distance) => (distance < 4 * ideal ? ideal ** 2 / distance : 0));
      });
      for (const { from, to } of edges) if (from !== to) push(from, to, (distance) => -(distance ** 2) / ideal);
      const most = (width / 8) * (1 - step / STEPS) + 0.5;
      for (const node of nodes) {
        const length = Math.hypot(node.dx, node.dy) || 1;
        node.x = limit(node.x + (node.dx / length) * Math.min(length, most), node.half, width - node.half);
        node.y = limit(node.y + (node.dy / length) * Math.min(length, most), 0, this.height);
      }
    }
  }

  // No circle or name over another; what has no room goes down.
  separate(nodes) {
    const { width } = this;
    const depth = (node) => this.depth(node);
    const bothWays = (one, other) => {
      const [overX, overY] = [one.half + other.half - Math.abs(one.x - other.x), (depth(one) + depth(other)) / 2 + 16 - Math.abs(one.y - other.y)];
      if (overX <= 0 || overY <= 0) return false;
      const [upper, lower] = one.y <= other.y ? [one, other] : [other, one];
      const [left, right] = one.x <= other.x ? [one, other] : [other, one];
      if (overX < overY && left.x - left.half > overX && right.x + right.half + overX < width) (left.x -= overX / 2 + 0.5), (right.x += overX / 2 + 0.5);
      else (upper.y -= overY / 2 + 0.5), (lower.y += overY / 2 + 0.5);
      return true;
    };
    for (let round = 0; round < 200; round++) {
      let moved = false;
      nodes.forEach((one, i) => nodes.slice(i + 1).forEach((other) => (moved = bothWays(one, other) || moved)));
      if (!moved) break;
    }
    for (const node of nodes) node.x = limit(node.x, node.half, width - node.half);
    const top = Math.min(...nodes.map((node) => node.y - node.radius)) - 30;
    for (const node of nodes) node.y -= top;
    this.height = Math.max(...nodes.map((node) => node.y + depth(node) - node.radius));
  }

  depth({ radius }) {
    return 2 * radius + 1.5 * this.size;
  }

  // Entities without relations, in rows below the others.
  line(nodes) {
    let [x, row] = [0, 0];
    for (const node of nodes) {
      if (x && x + 2 * node.half > this.width) [x, this.height, row] = [0, this.height + row + 8, 0];
      Object.assign(node, { x: x + node.half, y: this.height + node.radius + 12 });
      x += 2 * node.half + 8;
      row = Math.max(row, this.depth(node) + 12);
    }
    this.height += row + 4;
  }

  paint() {
    this.element.querySelector("svg")?.remove();
    const svg = drawn(this.element, "svg", { viewBox: `0 0 ${this.width} ${this.height}`, width: this.width, height: this.height, role: "group", "aria-label": "Entity graph" });
    this.element.querySelector(".choose").after(svg);
    const taken = this.nodes.map(({ x, y, half, radius }) => ({ left: x - half, right: x + half, top: y - radius, bottom: y + radius + 1.4 * this.size }));
    for (const edge of this.edges) this.paintEdge(svg, edge, taken);
    for (const node of this.nodes) this.paintNode(svg, node);
    for (const one of svg.querySelectorAll("g")) {
      one.addEventListener("click", () => this.choose(one));
      one.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.choose(one);
      });
    }
  }

  group(svg, item, name) {
    const group = drawn(svg, "g", { class: name, tabindex: 0, role: "button", "aria-label": item.firstChild.textContent + item.textContent.slice(item.firstChild.textContent.length, -item.lastChild.textContent.length) });
    if (item.dataset.type) group.dataset.type = item.dataset.type;
    group.item = item;
    return group;
  }

  paintNode(svg, { item, x, y, radius, label }) {
    const group = this.group(svg, item, "node");
    drawn(group, "circle", { cx: x, cy: y, r: radius });
    drawn(group, "text", { x, y: y + radius + 1.1 * this.size, "font-size": this.size }, label);
  }

  // A curve from circle to circle, one to the left of another; its label where most is free.
  paintEdge(svg, { item, from, to, turn }, taken) {
    const group = this.group(svg, item, "edge");
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy) || 1;
    const bend = 14 + 26 * turn;
    const loop = from === to;
    const [bentX, bentY] = loop ? [from.x, from.y - from.radius - 40 - bend] : [(from.x + to.x) / 2 - (dy / length) * bend, (from.y + to.y) / 2 + (dx / length) * bend];
    const [cx, cy] = [limit(bentX, 12, this.width - 12), limit(bentY, 12, this.height - 12)];
    const rim = (node, x, y, gap) => {
      const far = Math.hypot(x - node.x, y - node.y) || 1;
      return [node.x + ((x - node.x) / far) * (node.radius + gap), node.y + ((y - node.y) / far) * (node.radius + gap)];
    };
    const begin = loop ? rim(from, from.x - 12, from.y - 20, 0) : rim(from, cx, cy, 0);
    const tip = loop ? rim(to, to.x + 12, to.y - 20, 2) : rim(to, cx, cy, 2);
    const at = (t) => [0, 1].map((i) => (1 - t) ** 2 * begin[i] + 2 * t * (1 - t) * [cx, cy][i] + t ** 2 * tip[i]);
    const name = { left: to.x - to.half + 4, right: to.x + to.half - 4, top: to.y + to.radius, bottom: to.y + to.radius + 1.45 * this.size };
    let last = 1; // the arrow ends below a name that is in its way
    while (last > 0.3 && inside(at(last), name)) last -= 0.01;
    const end = at(last);
    const bent = [begin[0] + (cx - begin[0]) * last, begin[1] + (cy - begin[1]) * last];
    for (const kind of ["near", "line"]) drawn(group, "path", { class: kind, d: `M${begin} Q${bent} ${end}` });
    const angle = (Math.atan2(end[1] - bent[1], end[0] - bent[0]) * 180) / Math.PI;
    drawn(group, "path", { class: "point", d: "M-7,-3.5 L0,0 L-7,3.5 Z", transform: `translate(${end}) rotate(${angle})` });
    const label = fitted(item.dataset.name, Math.min(220, this.width - 16));
    const half = pen.measureText(label).width * 0.5 + 3;
    const along = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74].map(at);
    const beside = [0, -1.2, 1.2].map((lines) => lines * this.size); // where arrows are close to each other
    const boxes = beside.flatMap((off) => along.map(([x, y]) => ({ x: limit(x, half, Math.max(half, this.width - half)), y: y + off })));
    const met = ({ x, y }) => taken.filter((one) => x + half > one.left && x - half < one.right && y + 5 > one.top && y - this.size < one.bottom).length;
    const best = boxes.reduce((one, other) => (met(other) < met(one) ? other : one));
    taken.push({ left: best.x - half, right: best.x + half, top: best.y - this.size, bottom: best.y + 5 });
    drawn(group, "text", { x: best.x, y: best.y + 3, "font-size": 0.9 * this.size }, label);
    return group;
  }

  // Shows where the text says it; the same again hides it.
  choose(group) {
    const same = group.item.classList.contains("chosen");
    for (const old of this.element.querySelectorAll(".chosen")) old.classList.remove("chosen");
    if (!same) for (const one of [group, group.item]) one.classList.add("chosen");
    if (!same) group.item.scrollIntoView({ block: "nearest" });
  }
}

const inside = ([x, y], box) => x > box.left && x < box.right && y > box.top && y < box.bottom;

function push(one, other, force) {
  const [dx, dy] = [one.x - other.x, one.y - other.y];
  const distance = Math.max(1, Math.hypot(dx, dy));
  const by = force(distance) / distance;
  (one.dx += dx * by), (one.dy += dy * by), (other.dx -= dx * by), (other.dy -= dy * by);
}
