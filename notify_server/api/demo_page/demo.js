"use strict";
// An app of one user: the inbox over HTTP, what is new over the socket. Texts are only ever set as text.
const $ = (id) => document.getElementById(id);
const KEPT = 200; // lines of the log
let token, socket, since; // the last event's id: the inbox has them in another order

$("as-demo").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => enter((await ask("POST", `/demo/tokens/${encodeURIComponent($("name").value)}`)).token));
});
$("with-token").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => enter($("token").value.trim()));
});
$("leave").addEventListener("click", () => location.reload());
$("read-all").addEventListener("click", () => attempt(async () => {
  await ask("POST", "/v1/me/notifications/read", { all: true });
  await list();
}));

async function attempt(work) {
  $("problem").textContent = "";
  try {
    await work();
  } catch (error) {
    $("login").hidden ? note("problem", error.message) : ($("problem").textContent = error.message);
  }
}

async function ask(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.detail || answer.statusText);
  return content;
}

async function enter(given) {
  token = given;
  try {
    await list();
  } catch (error) {
    token = undefined;
    throw error;
  }
  $("user").textContent = subject(given);
  $("login").hidden = true;
  for (const id of ["who", "inbox", "raw"]) $(id).hidden = false;
  $("inbox-title").scrollIntoView({ block: "nearest" });
  open();
}

function subject(jwt) {
  const bytes = Uint8Array.from(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).sub;
}

function open() {
  socket = io(`${location.protocol}//${location.hostname}:${document.body.dataset.realtimePort}`, {
    transports: ["websocket"],
    auth: (give) => give(since ? { token, since } : { token }),
  });
  const state = (text) => ($("state").textContent = text);
  state("connecting…");
  socket.on("connect", () => {
    state("live");
    note("connect");
    if (!since) attempt(list); // what came between the first list and now
  });
  socket.on("disconnect", (reason) => (state("reconnecting…"), note("disconnect", reason)));
  socket.on("connect_error", (error) => (state("not connected"), note("connect_error", error.message)));
  socket.onAny(note);
  socket.on("notification:new", (payload, { id, created_at }) => {
    since = id;
    report(id, "received");
    if (!$(`n-${id}`)) show({ id, title: "Realtime payload", body: JSON.stringify(payload), created_at, ...(payload.id === id && payload) });
  });
  socket.on("notification:updated", ({ id, status, is_read }) => update(id, status, is_read));
  socket.on("notification:marked", () => attempt(list));
  socket.on("notification:counts", ({ unread }) => count(unread));
}

async function list() {
  const { notifications, unread } = await ask("GET", "/v1/me/notifications?limit=50");
  $("items").replaceChildren();
  notifications.reverse().forEach(show);
  count(unread);
}

function show({ id, title, body, status = "sent", is_read = false, created_at }) {
  const item = $("item").content.firstElementChild.cloneNode(true);
  item.id = `n-${id}`;
  item.querySelector("h3").textContent = title || "(no title)";
  item.querySelector(".text").textContent = body || "";
  item.querySelector("time").dateTime = created_at;
  item.querySelector("time").textContent = new Date(created_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const button = item.querySelector("button");
  button.setAttribute("aria-label", `Mark as read: ${title || id}`);
  button.addEventListener("click", () => report(id, "read"));
  $("items").prepend(item);
  $("empty").hidden = true;
  update(id, status, is_read);
}

function update(id, status, is_read = status === "read") {
  const item = $(`n-${id}`);
  if (!item) return;
  item.querySelector(".status").textContent = status;
  item.classList.toggle("unread", !is_read);
  const button = item.querySelector("button");
  if (is_read && document.activeElement === button) item.focus(); // a hidden button would lose the place
  button.hidden = is_read;
}

function report(notification_id, status) {
  socket.timeout(10_000).emit("receipt", { notification_id, status }, (error, answer) => {
    note("receipt", { notification_id, status }, error ? String(error) : answer);
    if (!error && answer.ok) {
      const item = $(`n-${notification_id}`);
      if (status === "read" || item?.classList.contains("unread")) update(notification_id, status);
    }
  });
}

function count(unread) {
  $("unread").textContent = unread ? `${unread} unread` : "all read";
  $("read-all").disabled = !unread;
}

function note(event, ...args) {
  const line = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = event;
  line.append(new Date().toLocaleTimeString(), " ", name, " ", args.map((arg) => JSON.stringify(arg)).join(" "));
  $("log").prepend(line);
  while ($("log").childElementCount > KEPT) $("log").lastElementChild.remove();
}
