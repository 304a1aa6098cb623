
// Sends the text to this server and shows what it found. The page's address may hold a text after the #.
(() => {
  const at = (id) => document.getElementById(id);
  const [text, layers, json, problem] = ["text", "layers", "json", "problem"].map(at);
  const PREFIX = "#text=";
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

  const show = ({ html, ...data }) => {
    layers.innerHTML = html; // escaped by the server; the page's policy lets no script in it run
    hmtl.start(layers);
    json.textContent = readable(data);
    at("permalink").href = PREFIX + encodeURIComponent(data.text);
    at("results").hidden = false;
    shown = data.text;
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
    );
  };

  const annotate = async () => {
    running?.abort();
    if (!text.value.trim()) {
      say("", "There is no text yet: type one, or choose an example.");
      text.focus();
      return;
    }
    const mine = (running = new AbortController());
    say("Annotating …");
    at("results").setAttribute("aria-busy", "true");
    try {
      show(await ask(text.value, mine.signal));
    } catch (error) {
      if (!mine.signal.aborted) say("", error instanceof TypeError ? "The server can't be reached." : error.message);
    } finally {
      if (running === mine) at("results").removeAttribute("aria-busy");
    }
  };

  const choose = (value) => {
    text.value = value;
    count();
    return annotate();
  };

  const fromAddress = () => {
    if (!location.hash.startsWith(PREFIX)) return;
    try {
      const value = decodeURIComponent(location.hash.slice(PREFIX.length));
      if (value !== shown) choose(value);
    } catch {
      say("", "The address of this page has no readable text after #text=.");
    }
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
  addEventListener("hashchange", fromAddress);
  if (location.hash.startsWith(PREFIX)) fromAddress();
  else choose(document.querySelector("[data-text]").dataset.text).then(() => text.value === shown && document.activeElement === text && text.select());
  count();
})();
