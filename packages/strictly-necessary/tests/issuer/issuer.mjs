// An OpenID Connect issuer with its own host and its own pages for signing in:
//   node issuer.mjs ISSUER REDIRECT_URI CERTIFICATE KEY FOLDER_WITH_MODULES
// It listens on a free port of 127.0.0.1, which it prints.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [issuer, redirect, certificate, key, modules] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(`${modules}/`).resolve("oidc-provider")));

const provider = new Provider(issuer, {
  clients: [{ client_id: "shop", client_secret: "known-to-the-shop", redirect_uris: [redirect] }],
  cookies: { keys: [randomBytes(32).toString("hex")] },
});
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, provider.callback());
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
