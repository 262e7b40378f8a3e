// Drives the real socket.io-client: commands as JSON lines on stdin, what happens as JSON lines on stdout.
const { io } = require("socket.io-client");
const readline = require("node:readline");

const say = (event, ...args) => process.stdout.write(JSON.stringify({ event, args }) + "\n");
let socket;
let since;

const commands = {
  open({ url, token }) {
    socket = io(url, {
      transports: ["websocket"],
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
      auth: (give) => give(since ? { token, since } : { token }),
    });
    socket.on("connect", () => say("connect"));
    socket.on("connect_error", (error) => say("connect_error", { message: error.message, data: error.data }));
    socket.on("disconnect", (reason, details) => say("disconnect", reason, details?.context?.code ?? null));
    socket.onAny((event, ...args) => {
      if (event === "notification:new") since = args[1].id;
      say(event, ...args);
    });
  },
  emit({ event, args }) {
    socket.timeout(5000).emit(event, ...args, (error, answer) => say("answer", error ? String(error) : answer));
  },
  pause: () => socket.disconnect(),
  resume: () => socket.connect(),
  cut: () => socket.io.engine.close(),
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { name, ...options } = JSON.parse(line);
  commands[name](options);
}).on("close", () => process.exit(0));
