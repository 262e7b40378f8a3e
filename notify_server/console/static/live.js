// Keeps the funnel of one notification up to date, as long as anything of it can still change.
"use strict";

(() => {
  const live = document.getElementById("live");
  if (!live || !("moving" in live.dataset)) return;
  const freshness = document.getElementById("freshness");
  const announcement = document.getElementById("announcement");
  const number = new Intl.NumberFormat("en");
  const FIRST = 1000, LONGEST = 15000; // milliseconds between two looks, longer as nothing changes
  const SPARING = 10;
  let wait = FIRST, last = "";

  const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

  function show(found) {
    for (const step of found.steps) {
      const row = live.querySelector(`[data-step="${step.name}"]`);
      row.querySelector("[data-count]").textContent = number.format(step.count);
      row.querySelector("[data-share]").textContent = percent(step.share);
      row.querySelector("rect").setAttribute("width", `${100 * (step.share ?? 0)}%`);
    }
    for (const [status, count] of Object.entries(found.counts)) {
      document.querySelector(`[data-status="${status}"]`).textContent = number.format(count);
    }
    const badge = document.querySelector("#state .badge");
    badge.className = `badge ${found.state}`;
    badge.textContent = found.state;
    document.dispatchEvent(new CustomEvent("live", { detail: found }));
  }

  function stop(said) {
    freshness.textContent = said;
    announcement.textContent = said;
  }

  async function look() {
    if (document.hidden) return setTimeout(look, wait);
    const begun = performance.now();
    let found;
    try {
      const answer = await fetch(live.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.status === 401) return stop("Your session has ended. Reload the page to sign in again.");
      if (!answer.ok) throw new Error(answer.status);
      found = await answer.json();
    } catch {
      wait = LONGEST;
      freshness.textContent = "The server does not answer. Trying again.";
      return setTimeout(look, wait);
    }
    const now = JSON.stringify([found.counts, found.state]);
    wait = now === last ? Math.min(LONGEST, wait * 1.5) : FIRST;
    last = now;
    wait = Math.max(wait, SPARING * (performance.now() - begun)); // what costs the server much is asked for rarely
    show(found);
    if (!found.moving) return stop("Nothing of it changes by itself any more.");
    freshness.textContent = `Live, as of ${found.as_of.slice(11, 19)}`;
    return setTimeout(look, wait);
  }

  freshness.textContent = "Live";
  look();
})();
