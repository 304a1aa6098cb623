// Sends the text to this server and shows what it found.
const at = (id) => document.getElementById(id);
const [text, layers, json, problem] = ["text", "layers", "json", "problem"].map(at);
const example = document.querySelector("[data-text]").dataset.text;
const STANDARD = new Set(["id", "meta", "text", "tokens", "sentences", "entities", "mentions", "clusters", "relations"]);
let running = null;
let shown = null;

const count = () => (at("count").textContent = [...text.value].length);
const say = (message, wrong = "") => {
  at("status").textContent = message;
  problem.textContent = wrong;
};
const number = (n, one, many) => `${n} ${n === 1 ? one : many}`;

const further = (name, value) => (Array.isArray(value) ? `${value.length} in ${name}` : name);

const ask = async (value, signal) => {
  const answer = await fetch("/api/annotate", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: value.toWellFormed?.() ?? value, html: true }),
    signal,
  });
  const data = await answer.json().catch(() => ({ detail: `The server answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(data.detail);
  return data;
};

// A line for each layer, and in it for each span.
const readable = (data) => {
  const line = (value) => JSON.stringify(value, null, 1).replace(/\n */g, " "); // strings have no line breaks
  const list = (values) => `[\n  ${values.map(line).join(",\n  ")}\n]`;
  const part = (value) => (typeof value?.[0] === "object" ? list(value) : line(value));
  return `{\n${Object.entries(data).map(([key, value]) => `"${key}": ${part(value)}`).join(",\n")}\n}`;
};

// What is shown of the text: as an address has it.
const viewNow = () => {
  const buttons = [...layers.querySelectorAll("[data-toggle]")];
  const pressed = buttons.filter(({ ariaPressed }) => ariaPressed === "true").map(({ dataset }) => dataset.toggle);
  return {
    graph: layers.querySelector(".more")?.open ?? false,
    layers: pressed.length < buttons.length ? pressed : null,
    lists: layers.querySelector(".listed")?.checked ?? false,
  };
};

// RETURNS: what the view asks for and this page hasn't.
const setView = (view) => {
  const buttons = [...layers.querySelectorAll("[data-toggle]")];
  for (const button of buttons) button.ariaPressed = String(view.layers?.includes(button.dataset.toggle) ?? true);
  for (const box of layers.querySelectorAll(".listed")) box.checked = view.lists;
  for (const more of layers.querySelectorAll(".more")) more.open = view.graph;
  const missing = view.layers?.filter((name) => !buttons.some(({ dataset }) => dataset.toggle === name)) ?? [];
  return missing.length ? `Not shown, because there is no such layer here: ${missing.join(", ")}.` : "";
};

const setLink = () => (at("permalink").href = writeAddress({ text: shown, ...viewNow() }));

const show = ({ html, ...data }, view, note) => {
  layers.innerHTML = html; // escaped by the server; the page's policy lets no script in it run
  const missing = setView(view);
  at("results").hidden = false;
  hmtl.start(layers);
  json.textContent = readable(data);
  shown = data.text;
  setLink();
  const size = (key) => data[key]?.length ?? 0;
  say(
    "Found " +
      [
        number(size("entities"), "named entity", "named entities"),
        number(size("mentions"), "mention", "mentions"),
        number(size("clusters"), "cluster", "clusters"),
        number(size("relations"), "relation", "relations"),
        ...Object.keys(data).filter((key) => !STANDARD.has(key)).map((key) => further(key, data[key])),
      ].join(", ") +
      ".",
    [note, missing].filter(Boolean).join(" "),
  );
};

// view: what to show of it; as until now, if it isn't given. note: something to tell beside.
const annotate = async (view = viewNow(), note = "") => {
  running?.abort();
  if (!text.value.trim()) {
    say("", "There is no text yet: type one, or choose an example.");
    text.focus();
    return;
  }
  const mine = (running = new AbortController());
  say("Annotating …", note);
  at("results").setAttribute("aria-busy", "true");
  try {
    show(await ask(text.value, mine.signal), view, note);
  } catch (error) {
    if (!mine.signal.aborted) say("", error instanceof TypeError ? "The server can't be reached." : error.message);
  } finally {
    if (running === mine) {
      running = null;
      at("results").removeAttribute("aria-busy");
    }
  }
};

const choose = (value, view, note) => {
  text.value = value;
  count();
  return annotate(view, note);
};

// Shows what the address says, without asking the server again for what is there.
const fromAddress = async () => {
  let wanted;
  let note = "";
  try {
    wanted = readAddress(location.hash);
  } catch (error) {
    wanted = readAddress("");
    note = `${error.message} This is an example instead.`;
  }
  const { text: given, ...view } = wanted;
  const value = given ?? example;
  if (value === shown && value === text.value && !running) {
    say(at("status").textContent, [note, setView(view)].filter(Boolean).join(" "));
    hmtl.update(layers.querySelector(".hmtl"));
    setLink();
  } else await choose(value, view, note);
  if (view.graph) layers.querySelector(".more")?.scrollIntoView();
};

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  annotate();
});
at("form").addEventListener("click", (event) => {
  if (event.target.dataset.text) choose(event.target.dataset.text);
});
text.addEventListener("input", count);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
at("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(json.textContent);
    say("The JSON is copied.");
  } catch {
    getSelection().selectAllChildren(json); // browsers copy for pages on this machine or with https only
    say("The JSON is selected: copy it with Ctrl+C.");
  }
});
layers.addEventListener("click", ({ target }) => target.closest("[data-toggle]") && setLink());
layers.addEventListener("change", setLink);
layers.addEventListener("toggle", setLink, true); // of the graph
addEventListener("hashchange", fromAddress);
fromAddress().then(() => !location.hash && text.value === shown && document.activeElement === text && text.select());
count();
