// How the page is served: with a password, a token, TLS, and below a path behind Debian's nginx that buffers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
import { framesOf } from "./feed.mjs";
import { accessible, awaitCounted, cards, counted, live, quiet, rows, views } from "./parts.mjs";
import { freePort, listens, Process, root, startSensor, until } from "./sensor.mjs";

const input = ["-r", join(root, "tests/captures/browsing.pcap")];
const packets = framesOf(input[1]).length;
const folder = mkdtempSync(join(tmpdir(), "netscope-web-"));
let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

/** Each view says something of its own, by every transport the page has: calls and streams. */
async function tour(page, url) {
  await live(page);
  await awaitCounted(page, packets);
  for (const view of views) {
    await page.goto(`${url}#/${view}`);
    if (view === "flows") await rows(page).first().waitFor();
    if (view === "alerts") await page.getByText("No alert was raised").waitFor();
    if (view === "health") await page.getByText("the sum closes").waitFor();
  }
}

test("a password: a wrong one is refused, the right one opens the page, a changed one asks again", async (t) => {
  const port = await freePort();
  const secret = join(folder, "password");
  writeFileSync(secret, "open sesame\n");
  const sensor = await startSensor(input, port, "--web-auth", "--web-auth-user", "ali", "--web-auth-pass-file", secret);
  t.after(() => sensor.end());
  const url = `http://127.0.0.1:${port}/`;
  const wrong = await browser.newContext({ httpCredentials: { username: "ali", password: "guess" } });
  const refused = await (await wrong.newPage()).goto(url);
  assert.equal(refused.status(), 401);
  assert.doesNotMatch(await refused.text(), /<script|sesame/u);
  await wrong.close();
  const page = await openPage(browser, url, { httpCredentials: { username: "ali", password: "open sesame" } });
  await tour(page, url);
  assert.match(await page.locator("main").textContent(), /ali/u);
  quiet(page);
  writeFileSync(secret, "close sesame\n");
  await page.getByText("name and password").waitFor();
  await accessible(page, "signing in");
  quiet(page, /status of 401/u);
  await page.context().close();
});

test("a token is asked for, a wrong one is told, the right one opens the page", async (t) => {
  const port = await freePort();
  const tokens = join(folder, "tokens");
  const hash = createHash("sha256").update("open-sesame").digest("hex");
  writeFileSync(tokens, `on-call packets ${hash}\n`, { mode: 0o600 });
  const sensor = await startSensor(input, port, "--web-tokens-file", tokens);
  t.after(() => sensor.end());
  const url = `http://127.0.0.1:${port}/`;
  const page = await openPage(browser, url);
  const sign = async (text) => {
    await page.getByLabel("Token").fill(text);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await page.getByText("Who asks?").waitFor();
  await accessible(page, "signing in");
  await sign("guess");
  await page.getByText("does not know this token").waitFor();
  await sign("open-sesame");
  await tour(page, url);
  assert.match(await page.locator("main").textContent(), /on-call/u);
  assert.ok(!page.url().includes("sesame"));
  assert.ok(page.complaints.filter((one) => /status of 401/u.test(one)).length <= 2, "a wrong token costs one failed login, and none as well");
  quiet(page, /status of 401/u);
  await page.context().close();
});

test("TLS, streams too", async (t) => {
  const port = await freePort();
  const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=sensor.test",
    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const sensor = await startSensor(input, port, "--web-tls", "--web-tls-cert", certificate, "--web-tls-key", key);
  t.after(() => sensor.end());
  const url = `https://127.0.0.1:${port}/`;
  const page = await openPage(browser, url, { ignoreHTTPSErrors: true });
  await tour(page, url);
  quiet(page);
  await page.context().close();
});

// proxy_buffering is on by default; streams are WebSockets, which it does not touch.
const nginxOf = (port, location) => `
${process.getuid() === 0 ? "user root;" : ""}
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off; proxy_buffering on;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${port};
    ${location}
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
  }
}
`;

const nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].find((path) => existsSync(path));
for (const [name, slash] of [["kept", ""], ["stripped", "/"]])
  describe(`behind nginx, the prefix ${name}`, { skip: nginx === undefined && "nginx is missing" }, () => {
    let sensor, proxy, inner, url;
    const start = () => startSensor(input, inner, "--web-base-path", "/tools/netscope", "--web-trusted-proxy", "127.0.0.1", "--web-role", "packets");
    before(async () => {
      const outer = await freePort();
      inner = await freePort();
      sensor = await start();
      const settings = join(folder, `nginx-${name}.conf`);
      writeFileSync(settings, nginxOf(outer, `location /tools/netscope${slash} { proxy_pass http://127.0.0.1:${inner}${slash}; }`));
      proxy = new Process(nginx, ["-c", settings, "-p", folder]);
      await until(() => listens(outer), `nginx listens: ${proxy.output()}`);
      url = `http://127.0.0.1:${outer}/tools/netscope`;
    });
    after(async () => { await proxy?.end(); await sensor?.end(); });

    test("every view works, from the address without a slash on", async () => {
      const page = await openPage(browser, url);
      await tour(page, page.url().replace(/#.*/u, ""));
      quiet(page);
      assert.ok(page.asked.every((one) => one.includes("/tools/netscope/") || one === url), page.asked.join("\n"));
      await page.context().close();
    });

    test("a restart behind it is taken up, and nothing is counted twice", async () => {
      const page = await openPage(browser, `${url}/`);
      await live(page);
      await awaitCounted(page, packets);
      const flows = (await cards(page))["Active flows"];
      await sensor.end();
      await page.locator(".link.disconnected").waitFor();
      sensor = await start();
      await page.locator(".link.live").waitFor({ timeout: 25000 });
      await awaitCounted(page, packets);
      assert.equal((await cards(page))["Active flows"], flows);
      assert.equal(await counted(page), packets);
      quiet(page, /status of (404|403|502)/u);
      await page.context().close();
    });
  });
