// Draws each chart from the table under it, which is there for everybody; in the colours of the page, light or dark.
"use strict";

(() => {
  const drawn = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function read(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].filter((row) => row.cells.length === heads.length);
    const series = heads.flatMap((head, column) =>
      "series" in head.dataset
        ? [{ name: head.dataset.series, label: head.textContent, values: rows.map((row) => value(row.cells[column])) }]
        : []);
    return { labels: rows.map((row) => row.cells[0].textContent.trim()), at: rows.map((row) => value(row.cells[0])), series };
  }

  const value = (cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : null);

  function span(seconds) {
    if (seconds < 60) return `${+seconds.toPrecision(2)} s`;
    if (seconds < 3600) return `${+(seconds / 60).toPrecision(3)} min`;
    return seconds < 86400 ? `${+(seconds / 3600).toPrecision(3)} h` : `${+(seconds / 86400).toPrecision(3)} d`;
  }

  const percent = (share) => `${Math.round(100 * share)} %`;
  const number = new Intl.NumberFormat("en", { notation: "compact" });

  const KINDS = {
    stack: { type: "bar", stacked: true, value: (v) => number.format(v) },
    bars: { type: "bar", stacked: true, sideways: true, value: (v) => number.format(v) },
    rates: { type: "line", most: 1, value: percent },
    curve: { type: "line", value: (v) => number.format(v), times: true },
  };

  // Where a scale of times has its marks: each is some times the one before, as some arrive at once and others after hours.
  const MARKS = [0.01, 0.1, 1, 10, 60, 600, 3600, 21600, 86400, 604800, 2419200];
  const times = (found) => {
    const last = Math.max(...found.at), first = Math.max(found.at[0], MARKS[0]);
    return {
      type: "logarithmic",
      min: MARKS.findLast((mark) => mark <= first),
      max: MARKS.find((mark) => mark >= last),
      afterBuildTicks: (axis) => { axis.ticks = MARKS.filter((mark) => mark >= axis.min && mark <= axis.max).map((mark) => ({ value: mark })); },
    };
  };

  function datasets(kind, found) {
    const used = kind.type === "bar" ? found.series.filter((one) => one.values.some(Boolean)) : found.series;
    return used.map((one) => ({
      label: one.label,
      data: kind.times ? one.values.map((y, place) => ({ x: Math.max(found.at[place], MARKS[0]), y })) : one.values,
      backgroundColor: colour(`c-${one.name}`),
      borderColor: colour(`c-${one.name}`),
      borderWidth: kind.type === "line" ? 2 : 0,
      pointRadius: kind.type === "line" ? (found.labels.length > 40 ? 0 : 2) : 0,
      pointHitRadius: 8,
      stepped: kind.times ? "before" : false,
      spanGaps: true,
      maxBarThickness: 48,
    }));
  }

  function options(kind, found) {
    const text = colour("soft"), line = colour("line");
    const plain = { grid: { color: line }, border: { color: line }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 } };
    const values = { ...plain, beginAtZero: true, stacked: kind.stacked, max: kind.most,
      ticks: { ...plain.ticks, precision: kind.most ? undefined : 0, callback: (v) => kind.value(v) } };
    const names = { ...plain, stacked: kind.stacked, grid: { display: false } };
    if (kind.times) Object.assign(names, times(found), { ticks: { ...plain.ticks, autoSkip: false, callback: span } });
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      indexAxis: kind.sideways ? "y" : "x",
      interaction: { mode: "index", intersect: false, axis: kind.sideways ? "y" : "x" },
      scales: kind.sideways ? { x: values, y: names } : { x: names, y: values },
      plugins: {
        legend: { position: "bottom", align: "start", labels: { color: colour("text"), boxWidth: 12, boxHeight: 12, padding: 14 } },
        tooltip: { callbacks: {
          title: (items) => (kind.times ? `After ${span(items[0].parsed.x)}` : items[0].label),
          label: (item) => `${item.dataset.label}: ${kind.most ? percent(item.raw) : (kind.times ? item.raw.y : item.raw).toLocaleString("en")}`,
        } },
      },
    };
  }

  function draw(figure) {
    const kind = KINDS[figure.dataset.chart];
    const found = read(figure.querySelector("table"));
    const plot = figure.querySelector(".plot");
    plot.hidden = found.labels.length === 0;
    if (plot.hidden) return;
    const existing = Chart.getChart(plot.firstElementChild);
    if (existing) existing.destroy();
    new Chart(plot.firstElementChild, { type: kind.type, data: { labels: found.labels, datasets: datasets(kind, found) }, options: options(kind, found) });
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    figure.querySelector("details").open = false;
    drawn.push(figure);
    draw(figure);
  }
  const again = () => drawn.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);

  // live.js has new figures of a notification: they go into the table, and from there into the chart.
  document.addEventListener("live", (event) => {
    const table = document.getElementById("curve");
    const { curve } = event.detail;
    if (!table || curve.length === 0 || table.dataset.last === JSON.stringify(curve)) return;
    table.dataset.last = JSON.stringify(curve);
    table.tBodies[0].replaceChildren(...curve.map(([seconds, received, readBy]) => {
      const row = document.createElement("tr");
      row.append(cell("th", span(seconds), seconds), cell("td", received, received), cell("td", readBy, readBy));
      return row;
    }));
    again();
  });

  function cell(kind, text, raw) {
    const made = document.createElement(kind);
    made.textContent = typeof text === "number" ? text.toLocaleString("en") : text;
    made.dataset.value = raw;
    if (kind === "th") made.scope = "row"; else made.className = "number";
    return made;
  }
})();
