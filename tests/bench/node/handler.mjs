// The batch function as it is commonly written for Node: the AWS SDK, JSON.parse, zlib, crypto, fetch.
import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip as gunzipCallback, gzip as gzipCallback } from "node:zlib";

import { DynamoDBClient, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const gunzip = promisify(gunzipCallback);
const gzip = promisify(gzipCallback);
const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});
const { FLAGPOST_TABLE: table, FLAGPOST_RETRY_QUEUE_URL: retryQueue, WEBHOOK_SECRET: secret } = process.env;
const key = Buffer.from(secret.slice("whsec_".length), "base64");

const CACHE_MS = 30_000;
const IMMEDIATE_RETRY_MS = 300;
const TIMEOUT_MS = 10_000;
const WIDTH = 2; // requests at a time to one integration
const cache = new Map();

export async function handler(event) {
  const failed = new Set();
  const events = new Map(); // by project
  const messages = new Map();
  for (const record of event.Records) {
    try {
      const message = JSON.parse(record.body);
      const array = JSON.parse(await gunzip(Buffer.from(message.gzip, "base64")));
      const { project, stream } = message.head;
      if (!events.has(project)) {
        events.set(project, []);
        messages.set(project, []);
      }
      messages.get(project).push(record.messageId);
      for (const one of array) {
        events.get(project).push({ event: one, stream });
      }
    } catch (error) {
      console.error(JSON.stringify({ level: "error", message: "record not read", error: error.message }));
      failed.add(record.messageId);
    }
  }
  for (const [project, all] of events) {
    try {
      const integrations = await integrationsOf(project);
      await Promise.all(integrations.map((integration) => deliver(integration, all)));
    } catch (error) {
      console.error(JSON.stringify({ level: "error", message: "not delivered", error: error.message }));
      messages.get(project).forEach((id) => failed.add(id));
    }
  }
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

async function integrationsOf(project) {
  const cached = cache.get(project);
  if (cached && Date.now() - cached.at < CACHE_MS) {
    return cached.integrations;
  }
  const { Items: items } = await dynamodb.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
      ExpressionAttributeValues: { ":pk": { S: `PROJECT#${project}` }, ":prefix": { S: "INTEGRATION#" } },
    }),
  );
  const integrations = items.filter((item) => item.doc).map((item) => JSON.parse(item.doc.S));
  cache.set(project, { at: Date.now(), integrations });
  return integrations;
}

async function deliver(integration, all) {
  const { environments } = integration;
  const wanted = all
    .filter(({ stream }) => integration.enabled && stream === integration.stream)
    .filter(({ event }) => environments.length === 0 || environments.includes(event.environmentId))
    .map(({ event }) => event);
  const deliveries = [];
  for (let at = 0; at < wanted.length; at += integration.max_events) {
    deliveries.push(wanted.slice(at, at + integration.max_events));
  }
  const counts = { matched: 0, delivered: 0, scheduled: 0 };
  const worker = async () => {
    for (let events = deliveries.shift(); events; events = deliveries.shift()) {
      const outcome = await attempt(integration, events);
      counts.matched += events.length;
      counts[outcome] += events.length;
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  if (counts.matched > 0) {
    await count(integration, counts);
  }
}

async function attempt(integration, events) {
  const id = randomUUID();
  const began = Date.now();
  const plain = JSON.stringify(events);
  const timestamp = Math.floor(began / 1000);
  const headers = {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(plain).digest("base64")}`,
  };
  const body = await gzip(plain);
  let status = await post(integration.url, headers, body);
  let requests = 1;
  if (status !== 200) {
    await sleep(IMMEDIATE_RETRY_MS);
    status = await post(integration.url, headers, body);
    requests = 2;
  }
  console.log(
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level: "info",
      message: "attempt",
      delivery: id,
      integration: integration.id,
      status,
      requests,
      events: events.length,
      plain_bytes: plain.length,
      sent_bytes: body.length,
      duration_ms: Date.now() - began,
    }),
  );
  if (status === 200) {
    return "delivered";
  }
  const packed = (await gzip(plain)).toString("base64");
  const message = { id, project: integration.project, integration: integration.id, began, gzip: packed };
  await sqs.send(
    new SendMessageCommand({ QueueUrl: retryQueue, MessageBody: JSON.stringify(message), DelaySeconds: 60 }),
  );
  return "scheduled";
}

async function post(url, headers, body) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    await response.arrayBuffer(); // so that the connection can be used again
    return response.status;
  } catch {
    return 0;
  }
}

async function count(integration, counts) {
  const hour = new Date().toISOString().slice(0, 13);
  const added = Object.entries(counts).filter(([, n]) => n > 0);
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { pk: { S: `LEDGER#${integration.id}` }, sk: { S: hour } },
      UpdateExpression: `ADD ${added.map(([name]) => `#${name} :${name}`).join(", ")}`,
      ExpressionAttributeNames: Object.fromEntries(added.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(added.map(([name, n]) => [`:${name}`, { N: String(n) }])),
    }),
  );
}
