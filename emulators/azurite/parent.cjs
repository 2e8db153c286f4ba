// Ends Azurite when the process that started it is gone, however it went.
"use strict";
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, 500).unref();
