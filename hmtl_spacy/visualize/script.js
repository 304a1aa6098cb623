// Highlights what belongs to the cluster, span or relation that is pointed at or reached with the keyboard.
const ITEMS = ".begins, .link, .clusters li";

const sentences = new WeakMap();
const resized = new ResizeObserver((entries) => {
  const changed = entries.filter(({ target }) => {
    const { width, height } = target.getBoundingClientRect();
    const { width: oldWidth, height: oldHeight } = sentences.get(target);
    return width !== oldWidth || height !== oldHeight;
  });
  drawArrows(changed.map(({ target }) => sentences.get(target)));
});

const graphs = new WeakMap();
const widened = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const graph = graphs.get(target);
    if (graph.width !== target.clientWidth) graph.draw();
  }
});

document.fonts.addEventListener("loadingdone", () => {
  const elements = [...document.querySelectorAll(".hmtl .sentence")];
  drawArrows(elements.map((element) => sentences.get(element)).filter(Boolean));
});

// All cells of an annotation of a document, one for each sentence.
const cells = (item) => {
  const { side } = item.closest(".side").dataset;
  return [...item.closest(".document").querySelectorAll(".side")].filter((one) => one.dataset.side === side);
};
const within = (item, css) => cells(item).flatMap((cell) => [...cell.querySelectorAll(css)]);
const widthOf = ({ dataset }) => dataset.end - dataset.start;

// The item that an element stands for; a word stands for the smallest span around it, best one of a cluster.
function itemAt(target) {
  const arrow = target.closest("[data-link]");
  if (arrow) return arrow.closest(".sentence").nextElementSibling.querySelectorAll(".link")[arrow.dataset.link];
  const item = target.closest("[data-span], .link, .clusters li");
  const word = target.closest(".word");
  if (item || !word) return item;
  const { start, end } = word.parentElement.dataset;
  const around = [...word.closest(".sentence").querySelectorAll(".begins:not([hidden])")].filter(({ dataset }) => dataset.start < Number(end) && start < Number(dataset.end));
  return around.sort((a, b) => b.matches(".coref") - a.matches(".coref") || widthOf(a) - widthOf(b))[0];
}

// Everything that is highlighted with an item.
function together(item) {
  if (item.matches(".link")) {
    const list = item.closest(".links");
    const arrow = list.previousElementSibling.querySelectorAll(`[data-link="${[...list.querySelectorAll(".link")].indexOf(item)}"]`);
    const tokens = within(item, ".token").filter((token) => covers(item, "head", token) || covers(item, "tail", token));
    return [item, ...arrow, ...tokens.map((token) => token.querySelector(".word"))];
  }
  const { cluster, span } = item.dataset;
  const alike = cluster ? item.closest(".document").querySelectorAll(`[data-cluster="${cluster}"]`) : [];
  return [...alike, ...(span ? within(item, `[data-span="${span}"]`) : [])];
}

// Where the arrow keys lead: left and right to the next item, up and down to the next sentence or list.
function next(item, key) {
  const items = within(item, ITEMS).filter((one) => !one.hidden);
  const at = items.indexOf(item);
  const rightToLeft = getComputedStyle(item).direction === "rtl";
  const parts = within(item, ":scope > *");
  const part = (one) => parts.findIndex((child) => child.contains(one));
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (key === "ArrowRight") return items[at + (rightToLeft ? -1 : 1)];
  if (key === "ArrowLeft") return items[at + (rightToLeft ? 1 : -1)];
  if (key === "ArrowDown") return items.find((one) => part(one) > part(item));
  const before = items.filter((one) => part(one) < part(item));
  return before.find((one) => part(one) === part(before.at(-1)));
}

function begin(root) {
  root.dataset.ready = "";
  const hint = root.appendChild(document.createElement("p"));
  hint.className = "hint";
  hint.ariaHidden = "true"; // items have names of their own
  let pointed = null;
  let reached = null;
  const show = () => {
    for (const old of root.querySelectorAll(".lit")) old.classList.remove("lit");
    const item = pointed ?? reached;
    for (const one of item ? together(item) : []) one.classList.add("lit");
    hint.textContent = item?.title || (item?.matches(".link") ? item.textContent : "");
  };
  // one stop for the tab key in each annotation of a document, from which the arrow keys lead on
  for (const item of root.querySelectorAll(ITEMS)) item.tabIndex = -1;
  for (const one of root.querySelectorAll(".document")) {
    const firsts = new Map(); // of each annotation
    for (const cell of one.querySelectorAll(".side")) {
      const { side } = cell.dataset;
      if (!firsts.get(side)) firsts.set(side, cell.querySelector(ITEMS));
    }
    for (const item of firsts.values()) if (item) item.tabIndex = 0;
  }
  for (const button of root.querySelectorAll("[data-toggle]")) {
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      update(root);
    });
  }
  const on = (name, listener) => root.addEventListener(name, listener);
  on("mouseover", ({ target }) => ((pointed = itemAt(target)), show()));
  on("mouseleave", () => ((pointed = null), show()));
  on("focusin", ({ target }) => {
    const item = target.closest(ITEMS);
    if (!item) return;
    for (const old of within(item, '[tabindex="0"]')) old.tabIndex = -1;
    item.tabIndex = 0;
    pointed = null;
    reached = item;
    show();
  });
  on("focusout", () => ((reached = null), show()));
  on("keydown", (event) => {
    const item = event.target.closest(ITEMS);
    if (event.key === "Escape") (pointed = reached = null), show();
    if (!item || !/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
    event.preventDefault();
    next(item, event.key)?.focus();
  });
  const elements = [...root.querySelectorAll(".sentence")];
  for (const element of elements) sentences.set(element, new Sentence(element));
  update(root);
  for (const element of elements) resized.observe(element);
  for (const element of root.querySelectorAll(".graph")) {
    graphs.set(element, new Graph(element));
    widened.observe(element);
  }
}

// Shows the layers whose buttons are pressed, and hides the others.
function update(root) {
  const hidden = [...root.querySelectorAll('[data-toggle][aria-pressed="false"]')].map(({ dataset }) => dataset.toggle);
  root.dataset.hide = hidden.join(" ");
  for (const item of root.querySelectorAll(".link, .note")) item.hidden = hidden.includes(item.dataset.layer);
  for (const list of root.querySelectorAll(".clusters")) list.hidden = hidden.includes("coref");
  drawArrows([...root.querySelectorAll(".sentence")].map((element) => sentences.get(element)));
}

// On paper a page is narrower, everything is open, and everything is drawn for that width.
const paper = matchMedia("print");
function print({ matches }) {
  const roots = [...document.querySelectorAll(".hmtl[data-ready]")];
  for (const root of roots) {
    root.classList.toggle("printed", matches);
    for (const one of root.querySelectorAll("details")) {
      if (matches) one.dataset.before = one.open;
      one.open = matches || one.dataset.before === "true";
    }
    drawArrows([...root.querySelectorAll(".sentence")].map((element) => sentences.get(element)), true);
    for (const element of root.querySelectorAll(".graph")) graphs.get(element).draw();
  }
}
paper.addEventListener("change", print);

// Starts the documents in an element; those already started are left alone.
function start(element = document) {
  const roots = [...element.querySelectorAll(".hmtl")];
  if (element.matches?.(".hmtl")) roots.push(element);
  for (const root of roots) if (!("ready" in root.dataset)) begin(root);
}

window.hmtl = { start, update };
start();
