// Spans as marks that take no room from the text: named entities above their words, the others below them.
const ROW = 1.35; // from row to row, in heights of a label
const PAD = { true: 8, false: 3 }; // beside labels
const HIDDEN = (element) => new Set((element.closest(".hmtl").dataset.hide ?? "").split(" "));

// What some tokens cover on each line.
function stretches(tokens) {
  const found = [];
  for (const box of tokens.flatMap(({ boxes }) => boxes)) {
    const last = found.at(-1);
    if (last?.line !== box.line) found.push({ ...box });
    else Object.assign(last, { left: Math.min(last.left, box.left), right: Math.max(last.right, box.right) });
  }
  return found;
}

// As much of a label as has room.
function fitted(label, room) {
  if (pen.measureText(label).width <= room) return label;
  let shown = label;
  while (shown.length > 1 && pen.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
  return `${shown}…`;
}

// One span: its pieces, one on each line that it touches, with their labels.
class Mark {
  constructor(element, tokens) {
    const { start, end, layer, label } = element.dataset;
    Object.assign(this, { element, layer, label, above: layer === "entities", copies: [] });
    this.tokens = tokens.filter((token) => token.start < Number(end) && Number(start) < token.end);
  }

  clear() {
    for (const copy of this.copies) copy.remove();
    this.copies = [];
    this.element.hidden = true;
  }

  plan({ width, rightToLeft }) {
    const pieces = stretches(this.tokens);
    this.pieces = pieces.map((piece, i) => {
      const label = fitted(i ? `… ${this.label}` : this.label, width - 4);
      const labelWidth = pen.measureText(label).width + PAD[this.layer === "coref" || this.above];
      const from = limit(rightToLeft ? piece.right - labelWidth : piece.left, 0, Math.max(0, width - labelWidth));
      const [left, right] = this.above ? [from, from + labelWidth] : [Math.min(piece.left, from), Math.max(piece.right, from + labelWidth)];
      return { ...piece, mark: this, label, labelWidth, from, text: [piece.left, piece.right], left, right, first: !i, last: i === pieces.length - 1 };
    });
  }

  draw(sentence) {
    this.element.hidden = !this.pieces.length;
    for (const piece of this.pieces) {
      const element = piece.first ? this.element : this.copy("continues");
      element.dataset.shown = piece.label;
      const [left, right] = this.above ? [piece.left, piece.right] : piece.text;
      set(element, left, sentence.topOf(piece), right - left, sentence.row);
      if (!this.above) {
        element.style.setProperty("--from", `${piece.from - left}px`);
        element.classList.toggle("open-start", !piece.first);
        element.classList.toggle("open-end", !piece.last);
        continue;
      }
      const { top, bottom } = sentence.lines[piece.line];
      const tint = this.copy("tint");
      tint.classList.toggle("open-start", !piece.first);
      tint.classList.toggle("open-end", !piece.last);
      set(tint, piece.text[0] - 2, top, piece.text[1] - piece.text[0] + 4, bottom - top + 2);
    }
  }

  // Another piece of the same span, for eyes only.
  copy(name) {
    const copy = this.element.cloneNode();
    for (const attribute of ["role", "tabindex", "data-shown"]) copy.removeAttribute(attribute);
    copy.classList.remove("begins", "lit");
    copy.classList.add(name);
    copy.ariaHidden = "true";
    this.copies.push(copy);
    this.element.parentElement.append(copy);
    return copy;
  }
}

function set(element, left, top, width, height) {
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}
