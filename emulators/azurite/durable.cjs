// Azurite keeps its tables and blob lists in memory and saves them every five seconds: a kill loses
// what it has already acknowledged. Here the answer to every write waits until it is saved.
"use strict";
const http = require("http");
const { createRequire } = require("module");
const Loki = createRequire(process.argv[1])("lokijs");

const databases = new Set();
const configureOptions = Loki.prototype.configureOptions; // its constructor calls it
Loki.prototype.configureOptions = function (...args) {
  databases.add(this);
  return configureOptions.apply(this, args);
};

// A save that runs already may have begun before this write's change: saveDatabase then queues
// another one behind it.
function saved(database) {
  if (!database.autosaveDirty() && !database.throttledSavePending) return Promise.resolve();
  return new Promise((resolve, reject) =>
    database.saveDatabase((error) => (error ? reject(error) : resolve())),
  );
}

const READS = new Set(["GET", "HEAD", "OPTIONS"]);
const end = http.ServerResponse.prototype.end;
http.ServerResponse.prototype.end = function (...args) {
  if (READS.has(this.req.method)) return end.apply(this, args);
  Promise.all([...databases].map(saved)).then(
    () => end.apply(this, args),
    (error) => this.destroy(error),
  );
  return this;
};
