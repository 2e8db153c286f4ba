// Backstage's own reader against the emulated Graph. Told on standard input, as bench/scale/worker.py.
const https = require("node:https");
const { createHash } = require("node:crypto");
const { performance } = require("node:perf_hooks");
const {
  MicrosoftGraphClient,
  readMicrosoftGraphOrg,
} = require("@backstage/plugin-catalog-backend-module-msgraph");

const quiet = () => undefined;
const logger = { info: quiet, debug: quiet, warn: quiet, error: quiet, child: () => logger };

function control(target, method, name, body) {
  return new Promise((resolve, reject) => {
    const url = `${target.admin}/${name}`;
    const options = { method, headers: { "Content-Type": "application/json" } };
    const request = https.request(url, options, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve(text ? JSON.parse(text) : null));
    });
    request.on("error", reject);
    request.end(body ? JSON.stringify(body) : undefined);
  });
}

// Calls that the faults have struck; there are none afterwards.
async function healed(target) {
  const rules = await control(target, "GET", "faults");
  await control(target, "DELETE", "faults");
  return rules.reduce((sum, rule) => sum + rule.hits, 0);
}

async function read(target) {
  const token = { token: target.token, expiresOnTimestamp: Date.now() + 3600e3 };
  const client = new MicrosoftGraphClient(target.graph, { getToken: async () => token });
  const options = { logger, loadUserPhotos: false };
  return readMicrosoftGraphOrg(client, target.tenant_id, options);
}


function rows(found) {
  const links = found.groups.reduce((sum, group) => sum + (group.spec.members ?? []).length, 0);
  const members = found.users.reduce((sum, user) => sum + (user.spec.memberOf ?? []).length, 0);
  return { users: found.users.length, groups: found.groups.length, memberships: links + members };
}

function ids(found) {
  const name = "graph.microsoft.com/user-id";
  return found.users.map((user) => user.metadata.annotations[name]).sort();
}

async function main() {
  let text = "";
  for await (const part of process.stdin) text += part;
  const target = JSON.parse(text);
  const idle = process.memoryUsage().rss;
  const report = { rounds: [], idle, found: {}, outcome: "", more: {} };
  try {
    if (target.fault) await control(target, "POST", "faults", target.fault);
    const first = await read(target);
    if (target.fault) report.more.hits = await healed(target);
    report.found = { users: { ids: createHash("sha256").update(ids(first).join()).digest("hex") } };
    for (let round = 0; round < target.rounds; round += 1) {
      await control(target, "DELETE", "usage");
      const [began, before] = [performance.now(), process.cpuUsage()];
      const found = await read(target);
      const seconds = (performance.now() - began) / 1000;
      const cpu = process.cpuUsage(before);
      const used = await control(target, "GET", "usage");
      report.rounds.push({ seconds, cpu: (cpu.user + cpu.system) / 1e6, rows: rows(found), used });
    }
    report.outcome = "finished";
  } catch (error) {
    report.outcome = `aborted: ${String(error.message).split("\n")[0].slice(0, 160)}`;
    if (target.fault) report.more.hits = await healed(target);
  }
  report.peak = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(`\n${JSON.stringify(report)}\n`);
}

main();
