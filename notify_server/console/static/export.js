// Fetches the export, counts its records while they arrive, and saves it. Without this the form leads to the file itself.
"use strict";

(() => {
  const form = document.getElementById("export");
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en");
  const NEWLINE = 10, SHOWN_EVERY = 200; // milliseconds
  const END = '{"kind": "end"';

  const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  // A file that is written while it arrives where the browser can, else parts that are put together at the end.
  async function target() {
    if (!window.showSaveFilePicker) return null;
    const file = await window.showSaveFilePicker({ suggestedName: "registry.ndjson" });
    return file.createWritable();
  }

  function save(parts) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: "application/x-ndjson" }));
    link.download = "registry.ndjson";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  function newlines(chunk) {
    let count = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
    return count;
  }

  // What a page of the server's says went wrong.
  function refusal(page) {
    const said = new DOMParser().parseFromString(page, "text/html").querySelector("[role=alert]");
    return said ? said.textContent : "The server refused. Please try again.";
  }

  async function run(url, signal) {
    const file = await target();
    const parts = [];
    let records = 0, bytes = 0, shown = 0, tail = "";
    const answer = await fetch(url, { signal });
    if (answer.status === 401) throw new Error("Your session has ended. Reload the page to sign in again.");
    if (!answer.ok) throw new Error(refusal(await answer.text()));
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const chunk = read.value;
      records += newlines(chunk);
      bytes += chunk.length;
      tail = (tail + decoder.decode(chunk, { stream: true })).slice(-1000);
      if (file) await file.write(chunk); else parts.push(chunk);
      if (performance.now() - shown > SHOWN_EVERY) {
        shown = performance.now();
        byId("records").textContent = number.format(records);
        byId("bytes").textContent = size(bytes);
      }
    }
    if (file) await file.close();
    const last = tail.trimEnd().split("\n").pop();
    if (!last.startsWith(END)) throw new Error("The connection was lost before the end. Please try again.");
    if (!file) save(parts);
    return `Done: ${number.format(JSON.parse(last).entries)} entries, ${size(bytes)}.`;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const stop = new AbortController();
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    byId("stop").onclick = () => stop.abort();
    byId("begin").disabled = true;
    byId("stop").hidden = byId("progress").hidden = false;
    byId("records").textContent = "0";
    byId("bytes").textContent = "0 B";
    byId("outcome").className = "";
    byId("outcome").textContent = "";
    try {
      byId("outcome").textContent = await run(`${form.action}?${new URLSearchParams(given)}`, stop.signal);
      byId("outcome").className = "note-box good";
    } catch (problem) {
      const stopped = problem.name === "AbortError";
      byId("outcome").textContent = stopped ? "Stopped. Nothing was saved." : problem.message;
      byId("outcome").className = `note-box ${stopped ? "warn" : "bad"}`;
    }
    byId("begin").disabled = false;
    byId("stop").hidden = byId("progress").hidden = true;
  });
})();
