// What the page's address says after its #, which browsers don't send: a text, and what is shown of it.
// #text=Ada%20sings&view=graph&layers=entities,coref&relations=lists; what is missing is as when the page opens.
const READABLE = "An address goes on with #text=, the text, and if you like &view=graph, &layers=entities,coref or &relations=lists.";
const PARTS = {
  text: (value) => ({ text: decodeURIComponent(value) }),
  view: (value) => ({ graph: one(value, ["text", "graph"]) === "graph" }),
  layers: (value) => ({ layers: value ? value.split(",").map(decodeURIComponent) : [] }),
  relations: (value) => ({ lists: one(value, ["arrows", "lists"]) === "lists" }),
};

function one(value, expected) {
  if (!expected.includes(value)) throw new Error(`${value.slice(0, 40)} isn't one of ${expected.join(", ")}`);
  return value;
}

// A text, if there is one, and a view: whether the graph is open, the layers (null: all), relations as lists.
function readAddress(hash) {
  const found = { text: null, graph: false, layers: null, lists: false };
  const seen = new Set();
  for (const part of hash.slice(1).split("&").filter(Boolean)) {
    const [, name, value] = part.match(/^([^=]*)=?([^]*)$/);
    try {
      if (!Object.hasOwn(PARTS, name)) throw new Error("nothing is called that");
      if (seen.has(name)) throw new Error("it is there twice");
      seen.add(name);
      Object.assign(found, PARTS[name](value));
      if (name === "text" && !found.text.trim()) throw new Error("there is no text");
    } catch (error) {
      const why = error instanceof URIError ? "its % signs are damaged" : error.message;
      throw new Error(`Can't read ${name.slice(0, 40) || "a nameless part"} in this page's address: ${why}. ${READABLE}`);
    }
  }
  return found;
}

function writeAddress({ text, graph, layers, lists }) {
  const parts = [`text=${encodeURIComponent(text)}`];
  if (graph) parts.push("view=graph");
  if (layers) parts.push(`layers=${layers.map(encodeURIComponent).join(",")}`);
  if (lists) parts.push("relations=lists");
  return `#${parts.join("&")}`;
}
