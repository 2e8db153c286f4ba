// @azure/service-bus against the emulator: runs the named scenarios at once, prints what failed.
// Usage: node scenarios.js CONNECTION_STRING NAME...
"use strict";

const assert = require("node:assert/strict");
const { ServiceBusClient } = require("@azure/service-bus");

async function take(receiver, count) {
  const found = [];
  const deadline = Date.now() + 15000;
  while (found.length < count && Date.now() < deadline) {
    found.push(...(await receiver.receiveMessages(count - found.length, { maxWaitTimeInMs: 1000 })));
  }
  assert.equal(found.length, count);
  return found;
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("no error");
}

const scenarios = {
  async properties(client) {
    const sender = client.createSender("properties");
    const receiver = client.createReceiver("properties");
    await sender.sendMessages({
      body: "hello", messageId: "id-1", contentType: "text/plain", correlationId: "c-1",
      subject: "label", to: "somebody", replyTo: "me", timeToLive: 90000, partitionKey: "part",
      applicationProperties: { text: "t", int: 5, bool: true, double: 1.5 },
    });
    const [got] = await take(receiver, 1);
    assert.equal(got.body, "hello");
    assert.equal(got.messageId, "id-1");
    assert.equal(got.subject, "label");
    assert.equal(got.partitionKey, "part");
    assert.equal(got.timeToLive, 90000);
    assert.equal(got.deliveryCount, 0);
    assert.equal(got.sequenceNumber.toNumber(), 1);
    assert.deepEqual(got.applicationProperties, { text: "t", int: 5, bool: true, double: 1.5 });
    await receiver.completeMessage(got);
    const started = Date.now();
    assert.deepEqual(await receiver.receiveMessages(1, { maxWaitTimeInMs: 500 }), []);
    assert.ok(Date.now() - started < 5000);
  },

  async batch(client) {
    const sender = client.createSender("batch");
    const receiver = client.createReceiver("batch");
    const batch = await sender.createMessageBatch();
    assert.equal(batch.maxSizeInBytes, 262144);
    for (let number = 0; number < 50; number++) assert.ok(batch.tryAddMessage({ body: number }));
    await sender.sendMessages(batch);
    const got = await take(receiver, 50);
    assert.deepEqual(got.map((message) => message.body), [...Array(50).keys()]);
    await Promise.all(got.map((message) => receiver.completeMessage(message)));
  },

  async abandon(client) {
    await client.createSender("abandon").sendMessages({ body: "x" });
    const receiver = client.createReceiver("abandon");
    for (let count = 0; count < 3; count++) {
      const [got] = await take(receiver, 1);
      assert.equal(got.deliveryCount, count);
      await receiver.abandonMessage(got);
    }
    const dead = client.createReceiver("abandon", { subQueueType: "deadLetter" });
    const [got] = await take(dead, 1);
    assert.equal(got.deadLetterReason, "MaxDeliveryCountExceeded");
    await dead.completeMessage(got);
  },

  async deadLetter(client) {
    await client.createSender("deadletter").sendMessages({ body: "x" });
    const receiver = client.createReceiver("deadletter");
    const [got] = await take(receiver, 1);
    await receiver.deadLetterMessage(got, {
      deadLetterReason: "bad", deadLetterErrorDescription: "worse", custom: "own",
    });
    const dead = client.createReceiver("deadletter", { subQueueType: "deadLetter" });
    const [found] = await take(dead, 1);
    assert.equal(found.deadLetterReason, "bad");
    assert.equal(found.deadLetterErrorDescription, "worse");
    assert.equal(found.applicationProperties.custom, "own");
    await dead.completeMessage(found);
  },

  async schedule(client) {
    const sender = client.createSender("schedule");
    const receiver = client.createReceiver("schedule");
    const later = new Date(Date.now() + 3600000);
    const [number] = await sender.scheduleMessages({ body: "x" }, later);
    const [peeked] = await receiver.peekMessages(1);
    assert.equal(peeked.state, "scheduled");
    await sender.cancelScheduledMessages(number);
    assert.deepEqual(await receiver.peekMessages(1), []);
    const error = await failure(sender.cancelScheduledMessages(number));
    assert.equal(error.code, "MessageNotFound");
  },

  async locks(client) {
    await client.createSender("defer").sendMessages({ body: "x" });
    const receiver = client.createReceiver("defer");
    const [got] = await take(receiver, 1);
    const before = got.lockedUntilUtc;
    assert.ok((await receiver.renewMessageLock(got)) >= before);
    await receiver.deferMessage(got);
    const [deferred] = await receiver.receiveDeferredMessages(got.sequenceNumber);
    assert.equal(deferred.body, "x");
    await receiver.completeMessage(deferred);
    const error = await failure(receiver.receiveDeferredMessages(got.sequenceNumber));
    assert.equal(error.code, "MessageNotFound");
  },

  async subscribe(client) {
    const sender = client.createSender("perf");
    await sender.sendMessages([...Array(200).keys()].map((number) => ({ body: number })));
    const receiver = client.createReceiver("perf");
    const seen = new Set();
    await new Promise((resolve, reject) => {
      receiver.subscribe(
        {
          async processMessage(message) {
            seen.add(message.body);
            if (seen.size === 200) setImmediate(resolve);
          },
          async processError({ error }) {
            reject(error);
          },
        },
        { maxConcurrentCalls: 10 },
      );
    });
    await receiver.close();
    assert.deepEqual(await client.createReceiver("perf").peekMessages(1), []);
  },

  async topic(client) {
    await client.createSender("t1").sendMessages([
      { body: 1, subject: "wanted", applicationProperties: { kind: "a" } },
      { body: 2, subject: "other", applicationProperties: { kind: "a" } },
    ]);
    const all = await take(client.createReceiver("t1", "s1"), 2);
    assert.deepEqual(all.map((message) => message.body), [1, 2]);
    const [wanted] = await take(client.createReceiver("t1", "s2"), 1);
    assert.equal(wanted.body, 1);
  },

  async session(client) {
    const sender = client.createSender("qsess");
    for (const sessionId of ["a", "b"]) {
      await sender.sendMessages([0, 1, 2].map((body) => ({ body, sessionId })));
    }
    const first = await client.acceptSession("qsess", "a");
    const second = await client.acceptNextSession("qsess", { maxWaitTimeInMs: 5000 });
    assert.equal(second.sessionId, "b");
    const taken = await failure(client.acceptSession("qsess", "a"));
    assert.equal(taken.code, "SessionCannotBeLocked");
    await first.setSessionState("half way");
    assert.equal(String(await first.getSessionState()), "half way");
    assert.ok((await first.renewSessionLock()) > new Date());
    for (const receiver of [first, second]) {
      const got = await take(receiver, 3);
      assert.deepEqual(got.map((message) => message.body), [0, 1, 2]);
      for (const message of got) await receiver.completeMessage(message);
      await receiver.close();
    }
    const hasty = connect(1500);
    const none = await failure(hasty.acceptNextSession("waiting"));
    assert.equal(none.code, "ServiceTimeout");
    await hasty.close();
  },

  async receiveAndDelete(client) {
    await client.createSender("delete").sendMessages([0, 1, 2].map((body) => ({ body })));
    const receiver = client.createReceiver("delete", { receiveMode: "receiveAndDelete" });
    assert.equal((await take(receiver, 3)).length, 3);
    assert.deepEqual(await receiver.peekMessages(1), []);
  },

  async unknown(client) {
    const error = await failure(client.createSender("nowhere").sendMessages({ body: "x" }));
    assert.equal(error.code, "MessagingEntityNotFound");
  },

  async oversize(client) {
    const sender = client.createSender("oversize");
    const error = await failure(sender.sendMessages({ body: "x".repeat(300000) }));
    assert.equal(error.code, "MessageSizeExceeded");
    await sender.sendMessages({ body: "fits" });
  },
};

const [connectionString, ...names] = process.argv.slice(2);

function connect(timeoutInMs) {
  return new ServiceBusClient(connectionString, { retryOptions: { maxRetries: 0, timeoutInMs } });
}

async function main() {
  const client = connect(10000);
  const outcomes = {};
  await Promise.all(
    names.map(async (name) => {
      try {
        await scenarios[name](client);
        outcomes[name] = null;
      } catch (error) {
        outcomes[name] = error.stack;
      }
    }),
  );
  await client.close();
  process.stdout.write(JSON.stringify(outcomes));
}

main();
