/* OVH's official Node client against passation-sim. It signs the URL without a port, so
 * the simulator has to stand on port 443. Argument: the simulator's ready.json. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import ovh from "@ovhcloud/node-ovh";

const ready = JSON.parse(readFileSync(process.argv[2], "utf8"));
const endpoint = new URL(ready.endpoint);
const domain = "boulangerie-martin.fr";
const accounts = `/email/domain/${domain}/account`;

function client(change) {
  return ovh({
    host: endpoint.hostname,
    basePath: endpoint.pathname,
    appKey: ready.application_key,
    appSecret: ready.application_secret,
    consumerKey: ready.consumer_key,
    ...change,
  });
}

const api = client({});
const refusal = async (promise) => {
  try {
    await promise;
  } catch (refused) {
    return [refused.error, refused.message];
  }
  throw new Error("nothing was refused");
};

const me = await api.requestPromised("GET", "/me");
assert.equal(me.nichandle, "xy000000-ovh");

const some = await api.requestPromised("GET", accounts, { accountName: "c%" });
assert.deepEqual(some, ["contact"]);
const none = await api.requestPromised("GET", accounts, { description: "é & à/?=%" });
assert.deepEqual(none, []);

const made = await api.requestPromised("POST", accounts, {
  accountName: "devis",
  password: "Brioche-doree-11",
  description: "Devis été €",
});
assert.equal(made.action, "addAccount");
const box = await api.requestPromised("GET", `${accounts}/devis`);
assert.equal(box.description, "Devis été €");

assert.deepEqual(
  await refusal(
    api.requestPromised("POST", `${accounts}/devis/changePassword`, {
      password: "Une-autre-brioche",
    }),
  ),
  [409, `This pop is already being processed: devis@${domain}, please try later`],
);
for (;;) {
  const tasks = await api.requestPromised("GET", `/email/domain/${domain}/task/account`, {
    name: "devis",
  });
  if (tasks.length === 0) {
    break;
  }
}
assert.equal(
  await api.requestPromised("PUT", `${accounts}/devis`, { description: "Café" }),
  null,
);
const gone = await api.requestPromised("DELETE", `${accounts}/devis`);
assert.equal(gone.action, "deleteAccount");

/* Signed by the other root, and with what must not pass. */
const alias = await api.requestPromised("GET", "/v1/me");
assert.equal(alias.nichandle, "xy000000-ovh");
assert.deepEqual(
  await refusal(client({ appSecret: "x".repeat(32) }).requestPromised("GET", "/me")),
  [400, "Invalid signature"],
);
assert.deepEqual(
  await refusal(client({ consumerKey: "x".repeat(32) }).requestPromised("GET", "/me")),
  [403, "This credential does not exist"],
);
assert.deepEqual(
  await refusal(client({ appKey: "x" }).requestPromised("GET", "/me")),
  [403, "This application key is invalid"],
);
assert.deepEqual(
  await refusal(client({ apiTimeDiff: 7200 }).requestPromised("GET", "/me")),
  [400, "Query out of time"],
);
const asked = await client({ consumerKey: undefined }).requestPromised(
  "POST",
  "/auth/credential",
  { accessRules: [{ method: "GET", path: "/me" }] },
);
assert.equal(asked.state, "pendingValidation");

console.log(`node ${process.version}: every call as it should be`);
