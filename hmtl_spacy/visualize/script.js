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

document.fonts.addEventListener("loadingdone", () => {
  const elements = [...document.querySelectorAll(".hmtl .sentence")];
  drawArrows(elements.map((element) => sentences.get(element)).filter(Boolean));
});

// The item that an element stands for; a word stands for the smallest cluster mention around it.
function itemAt(target) {
  const arrow = target.closest("[data-link]");
  if (arrow) return arrow.closest(".sentence").nextElementSibling.children[arrow.dataset.link];
  const item = target.closest("[data-span], .link, .clusters li");
  return item ?? target.closest(".word")?.parentElement.querySelector("[data-cluster]");
}

// Everything that is highlighted with an item.
function together(item) {
  const side = item.closest(".side");
  if (item.matches(".link")) {
    const list = item.parentElement;
    const arrow = list.previousElementSibling.querySelectorAll(`[data-link="${[...list.children].indexOf(item)}"]`);
    const tokens = [...side.querySelectorAll(".token")];
    const words = tokens.filter((token) => covers(item, "head", token) || covers(item, "tail", token));
    return [item, ...arrow, ...words.map((token) => token.querySelector(".word"))];
  }
  const { cluster, span } = item.dataset;
  const alike = cluster ? item.closest(".document").querySelectorAll(`[data-cluster="${cluster}"]`) : [];
  return [...alike, ...(span ? side.querySelectorAll(`[data-span="${span}"]`) : [])];
}

// Where the arrow keys lead: left and right to the next item, up and down to the next sentence or list.
function next(item, key) {
  const side = item.closest(".side");
  const items = [...side.querySelectorAll(ITEMS)];
  const at = items.indexOf(item);
  const rightToLeft = getComputedStyle(item).direction === "rtl";
  const part = (one) => [...side.children].findIndex((child) => child.contains(one));
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
  for (const side of root.querySelectorAll(".side")) {
    // one stop for the tab key, from which the arrow keys lead on
    side.querySelectorAll(ITEMS).forEach((item, i) => (item.tabIndex = i ? -1 : 0));
  }
  const on = (name, listener) => root.addEventListener(name, listener);
  on("mouseover", ({ target }) => ((pointed = itemAt(target)), show()));
  on("mouseleave", () => ((pointed = null), show()));
  on("focusin", ({ target }) => {
    const item = target.closest(ITEMS);
    if (!item) return;
    for (const old of item.closest(".side").querySelectorAll('[tabindex="0"]')) old.tabIndex = -1;
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
  drawArrows(elements.map((element) => sentences.get(element)));
  for (const element of elements) resized.observe(element);
}

// Starts the documents in an element; those already started are left alone.
function start(element = document) {
  const roots = [...element.querySelectorAll(".hmtl")];
  if (element.matches?.(".hmtl")) roots.push(element);
  for (const root of roots) if (!("ready" in root.dataset)) begin(root);
}

window.hmtl = { start };
start();
