// A real OpenID Connect provider for the tests: node oidc_provider.mjs PORT REDIRECT
// Its own pages for development take any login; nothing is kept.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const modules = process.env.REGTECH_TEST_OIDC;
const require = createRequire(path.join(modules, "index.js"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);
const [port, redirect] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "regtech", client_secret: "the secret of the client", redirect_uris: [redirect] }],
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
