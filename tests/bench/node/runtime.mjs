// What Lambda's managed runtime does around a handler: asks for the next invocation, and answers it.
// (AWS's own package for this, aws-lambda-ric, has to be compiled; the managed runtime's loop has the
// same requests.)
import http from "node:http";

import { handler } from "./handler.mjs";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { agent, hostname, port, method, path: `/2018-06-01/runtime/${path}` },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const next = await call("GET", "invocation/next");
  const invocation = `invocation/${next.headers["lambda-runtime-aws-request-id"]}`;
  try {
    const answer = await handler(JSON.parse(next.body));
    await call("POST", `${invocation}/response`, JSON.stringify(answer));
  } catch (error) {
    const told = { errorType: error.name, errorMessage: error.message };
    await call("POST", `${invocation}/error`, JSON.stringify(told));
  }
}
