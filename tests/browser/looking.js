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

// Per arrow its ends, the boxes of its arguments (one per token), and those of its label, its path and the sentence.
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
      const tokens = all(".token", sentence).filter(({ dataset }) => start <= dataset.start && dataset.start < end);
      return tokens.map((token) => boxOf(token.querySelector(".entities, .word")));
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
    found[`lit ${one.dataset.cluster}`] = ratio(light(color), light(backgroundColor));
  }
  return found;
}
