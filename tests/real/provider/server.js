// A certified OpenID provider with one client: the gateway under test. Its own development pages
// ask for a login and a consent; everything lives in memory.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const { ISSUER, PORT, WEB, BACK, KEYS, LIFETIME = "300" } = process.env;

// Each start reads the keys of the starts before, the newest first: a rotation between two runs.
const keys = KEYS ? JSON.parse(readFileSync(KEYS, "utf8")) : [];
if (keys.length === 0) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys.push({ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" });
}

const provider = new Provider(ISSUER, {
  jwks: { keys },
  clients: [
    {
      client_id: "web",
      client_secret: "a-secret-of-the-tests",
      redirect_uris: [`${WEB}/bff/callback`],
      post_logout_redirect_uris: [`${WEB}/`],
      backchannel_logout_uri: `${BACK}/bff/backchannel-logout`,
      backchannel_logout_session_required: true,
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub", "sid"], profile: ["name"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["a key of the tests"] },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // Its own refuses addresses of this machine, where the gateway under test is.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `User ${id}` }) }),
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  rotateRefreshToken: () => true,
  ttl: { AccessToken: Number(LIFETIME), IdToken: 600, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
});
provider.proxy = true;
provider.on("backchannel.error", (_, error) => console.error("backchannel", error));
provider.listen(Number(PORT), "127.0.0.1", () => console.log("listening"));
