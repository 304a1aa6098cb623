const all = (css, root = document) => [...root.querySelectorAll(css)];
const boxOf = (one) => {
  const { left, top, right, bottom } = one.getBoundingClientRect();
  return [left, top, right, bottom];
};

// What sticks out of the page to either side, and isn't inside something that scrolls.
function overflowing() {
  const width = document.documentElement.clientWidth;
  const scrolls = (one) => one && (/auto|scroll|hidden/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const found = all("body *").filter((one) => {
    const [left, , right] = boxOf(one);
    return right > left && (right > width + 0.5 || left < -0.5) && !scrolls(one.parentElement);
  });
  const whole = document.documentElement.scrollWidth > width ? ["the page"] : [];
  return [...whole, ...found.map((one) => `${one.tagName}.${one.getAttribute("class")}: ${one.textContent.slice(0, 40)}`)];
}

// Per arrow its ends, the boxes of its arguments (of their words, and of their labels as named entities), and those of its label, its path and the sentence.
function arrows() {
  return all(".links .link").map((item) => {
    const sentence = item.parentElement.previousElementSibling;
    const [group, label] = all(`[data-link="${[...item.parentElement.children].indexOf(item)}"]`, sentence);
    const path = group.querySelector(".line");
    const at = (length) => {
      const { x, y } = path.getPointAtLength(length).matrixTransform(path.getScreenCTM());
      return [x, y];
    };
    const argument = (side) => {
      const [start, end] = item.dataset[side].split(" ").map(Number);
      const within = ({ dataset }) => start < Number(dataset.end) && Number(dataset.start) < end;
      const words = all(".token", sentence).filter(within).flatMap((token) => [...token.firstElementChild.getClientRects()]);
      const boxes = words.map(({ left, top, right, bottom }) => [left, top, right, bottom]);
      return [...boxes, ...all(".entities:not(.tint)", sentence).filter(within).map(boxOf)];
    };
    return {
      name: label.textContent,
      from: at(0),
      to: at(path.getTotalLength()),
      head: argument("head"),
      tail: argument("tail"),
      label: boxOf(label),
      path: boxOf(path),
      sentence: boxOf(sentence),
    };
  });
}

// What has the focus, how wide its outline is, and what is lit.
function focused() {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  return {
    name: one.title || one.textContent,
    css: one.className,
    outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
    lit: all(".lit").map((each) => each.dataset.cluster ?? each.getAttribute("class")),
  };
}

// The contrast of words with what is behind them, by WCAG 2.
function contrasts() {
  const light = (colour) => {
    const channels = colour.match(/[\d.]+/g).slice(0, 3).map((c) => c / 255);
    const linear = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return linear.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const style = (css) => getComputedStyle(document.querySelector(css));
  const paper = light(style(".hmtl").backgroundColor);
  const found = { arrow: ratio(light(style("text.arrow").fill), paper) };
  for (const css of [".word", ".entities", ".mentions", ".coref", ".differs", "h3"]) {
    found[css] = ratio(light(style(css).color), paper);
  }
  for (const one of all(".lit")) {
    const { color, backgroundColor } = getComputedStyle(one);
    const name = `lit ${one.dataset.layer ?? ""} ${one.dataset.cluster}`;
    found[name] = ratio(light(color), /^rgba.*, 0\)$/.test(backgroundColor) ? paper : light(backgroundColor));
  }
  return found;
}

// How far each word is from where it would be in the bare text, line by line; and how many lines both have.
function displaced() {
  return all(".sentence").map((sentence) => {
    const tokens = all(".token", sentence);
    const bare = sentence.parentElement.insertBefore(document.createElement("div"), sentence);
    bare.dir = sentence.dir;
    bare.style.paddingInline = getComputedStyle(sentence).paddingInline;
    bare.textContent = tokens.map((token) => token.textContent).join("");
    const boxes = (range) => [...range.getClientRects()].filter(({ width }) => width);
    let at = 0;
    const pairs = tokens.map((token) => {
      const word = token.firstElementChild;
      const range = document.createRange();
      range.setStart(bare.firstChild, at);
      range.setEnd(bare.firstChild, at + word.textContent.length);
      at += token.textContent.length;
      return [boxes(word), boxes(range)];
    });
    const lines = [0, 1].map((i) => new Set(pairs.flatMap((pair) => pair[i].map(({ top }) => Math.round(top)))).size);
    const off = pairs.map(([mine, theirs]) => (mine.length !== theirs.length ? 1e3 : Math.max(0, ...mine.flatMap((box, i) => [box.left - theirs[i].left, box.right - theirs[i].right].map(Math.abs)))));
    bare.remove();
    return { off: Math.max(...off), lines, text: tokens.map((token) => token.textContent).join("").slice(0, 40) };
  });
}

// Marks whose labels overlap each other or a word, or that reach below or above their sentence.
function crowded() {
  const cross = (one, other) => [0, 1].every((i) => Math.min(one[i + 2], other[i + 2]) - Math.max(one[i], other[i]) > 1);
  return all(".sentence").flatMap((sentence) => {
    const box = boxOf(sentence);
    const size = parseFloat(getComputedStyle(sentence).fontSize);
    const marks = all(".bar:not(.tint):not([hidden])", sentence).map((one) => ({ name: one.title, box: boxOf(one) }));
    const words = all(".word", sentence).flatMap((one) => [...one.getClientRects()].map(({ left, top, right, bottom }) => ({ name: one.textContent, box: [left, top + size * 0.15, right, bottom - size * 0.15] })));
    const cut = marks.filter((one) => one.box[1] < box[1] - 0.5 || one.box[3] > box[3] + 0.5 || one.box[0] < box[0] - 0.5 || one.box[2] > box[2] + 0.5);
    const met = marks.flatMap((one, i) => [...marks.slice(i + 1), ...words].filter((other) => cross(one.box, other.box)).map((other) => `${one.name} meets ${other.name}`));
    return [...cut.map((one) => `${one.name} is cut off`), ...met];
  });
}
